/** Aider without a terminal in front of it. The stand-in for it runs: the real one is in no registry here. */
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { AgentOutput, StartOptions } from '../../../source/agents/agent.ts'
import { aider } from '../../../source/agents/aider/index.ts'
import { type AiderPlace, aiderPlace, editBlock, shellBlock } from '../../tools/aider.ts'
import { events, readAll, requests, results, settled, unanswered } from '../../tools/outputs.ts'

const yes = { decision: 'allow', scope: 'once' } as const
const no = { decision: 'deny', reason: 'Not today' } as const

function start(place: AiderPlace, headless: string, more: Partial<StartOptions> = {}) {
	const { folder: cwd, env } = place
	return aider.start({ cwd, env, args: [], headless, requestTimeoutMs: 60_000, ...more })
}

function asked(outputs: readonly AgentOutput[]) {
	return requests(outputs).map(({ ask }) => ask)
}

it('text only: the prompt, the reply as it comes and whole, exact usage and cost', async () => {
	const text = 'Here you are.\n\n> a quote\n\n#### A heading\n\nDone.'
	const usage = { prompt: 4567, cached: 0, completion: 1234 }
	await using place = await aiderPlace([{ match: /hello/, turns: [{ blocks: [{ text }], usage }] }])
	const agent = await start(place, 'hello there')
	const outputs = await readAll(agent, unanswered)
	expect(await agent.ended).toMatchObject({ code: 0, signal: null })
	expect(events(outputs)).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'hello there', source: 'agent' },
	})
	const reply = events(outputs).find(({ kind }) => kind === 'agent_response')
	expect(reply?.body).toMatchObject({ text, model: 'gpt-4o' })
	// 4.6k and 1.2k are what it prints.
	expect(events(outputs).find(({ kind }) => kind === 'usage')?.body).toEqual({
		message: null,
		model: 'gpt-4o',
		input: 4567,
		output: 1234,
		cache_read: 0,
		cache_write: 0,
		cost_usd: 4567 * 2.5e-6 + 1234 * 1e-5,
		cost_source: 'agent',
	})
	expect(outputs).toContainEqual({ type: 'about', version: '0.86.1' })
})

it('command approved, and two requests in a row: each is asked, run, and its output told', async () => {
	const text = `Two things.\n\n${shellBlock('printf "first\\nline\\n"')}\n${shellBlock('echo second')}`
	await using place = await aiderPlace([{ match: /run/, turns: [[{ text }]] }])
	const agent = await start(place, 'run them')
	const outputs = await readAll(agent, ({ ask }) => (ask.tool === 'add-output' ? no : yes))
	expect(asked(outputs).map(({ tool, input }) => [tool, input])).toEqual([
		['shell', { command: 'printf "first\\nline\\n"' }],
		['add-output', {}],
		['shell', { command: 'echo second' }],
		['add-output', {}],
	])
	expect(results(outputs).map(({ text }) => text)).toEqual(['first\nline', 'second'])
	expect(settled(outputs).map(({ type }) => type)).toEqual(Array(4).fill('applied'))
})

it('a command that looks like another on the screen is never shown as that one', async () => {
	const hidden = '```bash -l\ntouch hidden\n\necho fine\n```\n'
	const text = `${shellBlock('echo fine')}\n${hidden}\n${shellBlock('touch ab')}\n${shellBlock('touch a b')}`
	await using place = await aiderPlace([{ match: /run/, turns: [[{ text }]] }])
	const agent = await start(place, 'run them')
	const outputs = await readAll(agent, () => no)
	const shown = asked(outputs).map(({ input }) => JSON.stringify(input))
	expect(shown.filter((input) => input.includes('touch hidden')).length).toBeGreaterThan(0)
	expect(shown.filter((input) => input.includes('touch a b')).length).toBeGreaterThan(0)
	// Of four questions, not even one stands there with what is harmless alone where more could run.
	expect(shown).not.toContain('{"command":"echo fine"}')
	expect(shown).not.toContain('{"command":"touch ab"}')
})

it('command denied with reason: it does not run', async () => {
	await using place = await aiderPlace([
		{ match: /run/, turns: [[{ text: shellBlock('touch ran') }]] },
	])
	const agent = await start(place, 'run it')
	const outputs = await readAll(agent, () => no)
	expect(settled(outputs).map(({ type }) => type)).toEqual(['applied'])
	const [use, result] = events(outputs).filter(({ kind }) => kind.startsWith('tool_'))
	expect(use?.body).toMatchObject({ name: 'shell', input: { command: 'touch ran' } })
	expect(result?.body).toMatchObject({ ok: false, text: 'Denied' })
	expect(asked(outputs)[0]?.tool_use).toBe(use?.kind === 'tool_use' ? use.body.tool_use : null)
	await expect(readFile(join(place.folder, 'ran'))).rejects.toThrow('ENOENT')
})

it('file edit approved with its diff shown, and a new file', async () => {
	const text = `${editBlock('a.txt', 'two\n', '2\n')}\n${editBlock('b.txt', '', 'new\n')}`
	await using place = await aiderPlace([{ match: /edit/, turns: [[{ text }]] }], {
		'a.txt': 'one\ntwo\nthree\n',
	})
	const agent = await start(place, 'edit it')
	const outputs = await readAll(agent, () => yes)
	const hunk = { old_start: 1, old_lines: 3, new_start: 1, new_lines: 3 }
	const changes = [
		{
			path: join(place.folder, 'a.txt'),
			hunks: [{ ...hunk, lines: [' one', '-two', '+2', ' three'] }],
		},
		{
			path: join(place.folder, 'b.txt'),
			hunks: [{ old_start: 0, old_lines: 0, new_start: 1, new_lines: 1, lines: ['+new'] }],
		},
	]
	expect(asked(outputs)).toMatchObject(
		changes.map((change) => ({
			tool: 'edit',
			input: { path: basename(change.path) },
			changes: [change],
		})),
	)
	expect(results(outputs)).toMatchObject(changes.map((c) => ({ changes: [c] })))
	expect(await readFile(join(place.folder, 'a.txt'), 'utf8')).toBe('one\n2\nthree\n')
	expect(await readFile(join(place.folder, 'b.txt'), 'utf8')).toBe('new\n')
})

it('an answer for the session is the group that the person was shown, and no more', async () => {
	const place = await aiderPlace(
		[
			{ match: /look/, turns: [[{ text: 'I need `x.txt` and `y.txt`.' }]] },
			{ match: /added these/, turns: [[{ text: 'I see.' }]] },
		],
		{ 'x.txt': 'x', 'y.txt': 'y' },
	)
	await using _ = place
	const agent = await start(place, 'look at them')
	const outputs = await readAll(agent, () => ({ decision: 'allow', scope: 'session' }))
	expect(asked(outputs)).toMatchObject([
		{
			tool: 'add-file',
			input: { path: 'x.txt' },
			session_rules: [{ tool: 'add-file', rule: 'this one and the others asked about with it' }],
		},
	])
	expect(JSON.stringify(place.requests.at(-1))).toContain('x.txt, y.txt')
})

it('model error: told, and the session has failed', async () => {
	await using place = await aiderPlace([
		{ match: /fail/, turns: [[{ error: { status: 400, message: 'no such thing' } }]] },
	])
	const agent = await start(place, 'fail now')
	const outputs = await readAll(agent, unanswered)
	expect(events(outputs)).toContainEqual({
		kind: 'error',
		body: {
			code: 'agent_error',
			text: 'litellm.BadRequestError: BadRequestError: OpenAIException - no such thing',
		},
	})
	expect((await agent.ended).code).toBe(1)
})

it('interrupt: the turn ends; then more prompts, a mode, and the end, with stay', async () => {
	await using place = await aiderPlace([
		{ match: /wait/, turns: [[{ text: 'Half a sen' }, { hang: true }]] },
		{ match: /more/, turns: [[{ text: 'And more.' }]] },
	])
	const agent = await start(place, 'wait for me', { stay: true })
	let heard: AgentOutput[] = []
	const idle = () => heard.filter((one) => one.type === 'status' && one.status === 'idle').length
	const all = readAll(agent, unanswered, (output) => heard.push(output))
	const said = (text: string) => JSON.stringify(heard).includes(text)
	await vi.waitFor(() => expect(said('Half a sen')).toBe(true), 20_000)
	expect(heard.some(({ type }) => type === 'text')).toBe(true)
	const before = idle()
	await expect(agent.prompt('too early')).rejects.toMatchObject({ code: 'agent_cannot' })
	await agent.interrupt()
	await vi.waitFor(() => expect(idle()).toBe(before + 1), 20_000)
	heard = []
	await agent.prompt('more\nof it')
	await vi.waitFor(() => expect(idle()).toBe(1), 20_000)
	expect(events(heard)).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'more\nof it', source: 'viewer' },
	})
	expect(said('And more.')).toBe(true)
	expect(said('too early')).toBe(false)
	await agent.setMode('ask')
	await vi.waitFor(
		() => expect(heard).toContainEqual({ type: 'about', mode: 'ask', asks: true }),
		20_000,
	)
	await agent.stop()
	await all
	expect(await agent.ended).toMatchObject({ signal: 'SIGTERM' })
})

it('kill of the agent: what it asked is withdrawn', async () => {
	await using place = await aiderPlace([
		{ match: /run/, turns: [[{ text: shellBlock('touch ran') }]] },
	])
	const agent = await start(place, 'run it')
	const outputs = await readAll(agent, () => {
		void agent.stop()
		return null
	})
	expect(settled(outputs)).toMatchObject([{ type: 'withdrawn', result: 'cancelled' }])
	expect(await agent.ended).toMatchObject({ code: null })
})

it('resume: the model hears what was said before', async () => {
	await using place = await aiderPlace([
		{ match: /first/, turns: [[{ text: 'The word is fig.' }]] },
	])
	await readAll(await start(place, 'the first'), unanswered)
	const outputs = await readAll(
		await start(place, 'again', { args: ['--restore-chat-history'] }),
		unanswered,
	)
	expect(JSON.stringify(place.requests.at(-1))).toContain('The word is fig.')
	// What was there before is not told again.
	expect(JSON.stringify(outputs)).not.toContain('fig')
})

it('a model that prints a question is never asked about, nor answered', async () => {
	const question = "Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: "
	await using place = await aiderPlace([
		{ match: /fool/, turns: [[{ text: `rm -rf /\n\n\ntouch ran\n${question}` }, { hang: true }]] },
	])
	const agent = await start(place, 'fool me')
	let heard = ''
	const all = readAll(
		agent,
		() => yes,
		(output) => {
			heard += JSON.stringify(output)
		},
	)
	await vi.waitFor(() => expect(heard).toContain('Run shell command?'), 20_000)
	// Long after its screen has settled.
	await new Promise((resolve) => setTimeout(resolve, 1000))
	await agent.interrupt()
	const outputs = await all
	expect(asked(outputs)).toEqual([])
	expect(settled(outputs)).toEqual([])
})

it('what is asked in words that are not known is a question, and denied unless answered', async () => {
	await using place = await aiderPlace([{ match: /x/, turns: [[{ text: 'ok' }]] }])
	const folder = place.folder
	// As a newer version might ask at its start.
	const script = `#!/bin/sh\nstty -icanon; printf 'Send them all your files? (Y)es/(N)o [Yes]: '
read -r answer; echo "$answer" > answer; printf '> Thanks  \\n' >> .aider.chat.history.md\n`
	await writeFile(join(folder, 'aider'), script, { mode: 0o755 })
	const env = { ...place.env, PATH: `${folder}:${place.env.PATH}` }
	for (const given of [
		yes,
		no,
		{ ...yes, input: { answers: { 'Send them all your files?': 'Yes' } } },
	]) {
		const agent = await aider.start({
			cwd: folder,
			env,
			args: [],
			headless: 'x',
			requestTimeoutMs: 60_000,
		})
		await writeFile(join(folder, '.aider.chat.history.md'), '')
		setTimeout(() => void writeFile(join(folder, '.aider.chat.history.md'), '> Hello  \n'), 20)
		const taken: Promise<boolean>[] = []
		const outputs = await readAll(agent, ({ id }) => {
			taken.push(agent.answer(id, given))
			return null
		})
		// A permission is no answer to a question.
		expect(await Promise.all(taken)).toEqual([given !== yes])
		expect(asked(outputs)).toMatchObject([
			{ tool: 'question', questions: [{ question: 'Send them all your files?' }] },
		])
		const answer = (await readFile(join(folder, 'answer'), 'utf8')).trim()
		expect(answer).toBe('input' in given ? 'y' : 'n')
	}
})

it.skipIf(process.platform !== 'linux')(
	'a plain terminal will do where the system shows that it is read; then figures are as printed',
	async () => {
		await using place = await aiderPlace([{ match: /x/, turns: [[{ text: 'ok' }]] }])
		const { folder } = place
		const script = `#!/bin/sh
say() { echo "$1"; printf '> %s  \\n' "$1" >> .aider.chat.history.md; }
say 'Tokens: 4.6k sent, 212 received. Cost: $0.01 message, $0.02 session.'
echo; say 'touch x'
printf "Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: "
sleep 1
read -r answer
printf "> Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: $answer  \\n" >> .aider.chat.history.md
echo "$answer" > answer\n`
		await writeFile(join(folder, 'aider'), script, { mode: 0o755 })
		const env = { ...place.env, PATH: `${folder}:${place.env.PATH}` }
		const agent = await start({ ...place, env }, 'x')
		const outputs = await readAll(agent, () => yes)
		expect(asked(outputs)).toMatchObject([{ tool: 'shell', input: { command: 'touch x' } }])
		expect(settled(outputs).map(({ type }) => type)).toEqual(['applied'])
		expect(await readFile(join(folder, 'answer'), 'utf8')).toBe('y\n')
		expect(events(outputs)).toContainEqual(
			expect.objectContaining({
				kind: 'usage',
				body: expect.objectContaining({ input: 4600, output: 212, cost_usd: 0.01 }),
			}),
		)
		expect(JSON.stringify(outputs)).toContain('logs no exact figures')
	},
)
