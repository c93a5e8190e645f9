import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { AgentAnswer, AgentOutput, RunningAgent } from '../../../source/agents/agent.ts'
import { opencode } from '../../../source/agents/opencode/index.ts'
import { HeadlessSession } from '../../tools/agent-session.ts'
import { findAgent } from '../../tools/agents.ts'
import { opencodeEnvironment, seedOpencodeHome } from '../../tools/opencode.ts'
import { opencodeScript, question } from '../../tools/opencode-script.ts'
import {
	type Answer,
	allow,
	events,
	readAll,
	requests,
	results,
	said,
	sessionOf,
	unanswered,
	usage,
} from '../../tools/outputs.ts'
import {
	type ScriptedOpenaiChat,
	startScriptedOpenaiChat,
} from '../../tools/scripted-openai-chat.ts'

let program = ''
let folder = ''
let cwd = ''
let api: ScriptedOpenaiChat

beforeAll(async () => {
	program = await findAgent('opencode')
}, 300_000)

beforeEach(async () => {
	folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-test-')))
	cwd = join(folder, 'project')
	await mkdir(join(cwd, 'build'), { recursive: true })
	await mkdir(join(folder, 'tmp'))
	await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	api = await startScriptedOpenaiChat(opencodeScript(cwd))
	await seedOpencodeHome(join(folder, 'home'), api.url)
})

afterEach(async () => {
	vi.unstubAllEnvs()
	await api[Symbol.asyncDispose]()
	await rm(folder, { recursive: true, force: true })
})

function environment(): NodeJS.ProcessEnv {
	return opencodeEnvironment(join(folder, 'home'), program)
}

async function start(prompt: string, args: string[] = []): Promise<RunningAgent> {
	const env = environment()
	return opencode.start({ cwd, args, env, headless: prompt, requestTimeoutMs: 60_000 })
}

async function run(prompt: string, answer: Answer = unanswered, args: string[] = []) {
	await using agent = await start(prompt, args)
	return { outputs: await readAll(agent, answer), ended: await agent.ended }
}

test('the agent is found, with its version', async () => {
	const env = { ...process.env, PATH: dirname(program) }
	expect(await opencode.find(env)).toEqual({ path: program, version: opencode.tested.to })
	expect(await opencode.find({ PATH: '/nowhere' })).toBeNull()
	await expect(
		opencode.start({ cwd, args: [], env: { PATH: '' }, headless: 'x', requestTimeoutMs: 1000 }),
	).rejects.toMatchObject({ code: 'agent_not_installed' })
})

test('what a command is shown with', async () => {
	const { outputs, ended } = await run('RUN it', allow)
	const [request] = requests(outputs)
	expect(request?.ask).toMatchObject({
		tool: 'bash',
		input: { command: 'echo hi && touch made.txt', description: 'A command' },
		cwd,
		session_rules: [
			{ tool: 'bash', rule: 'echo *' },
			{ tool: 'bash', rule: 'touch *' },
		],
		questions: null,
	})
	expect(events(outputs)).toContainEqual(
		expect.objectContaining({
			kind: 'agent_thinking',
			body: expect.objectContaining({ text: 'Let me think about this' }),
		}),
	)
	expect(outputs).toContainEqual(expect.objectContaining({ type: 'about', version: '1.18.33' }))
	expect(outputs).toContainEqual(
		expect.objectContaining({ type: 'about', model: 'big', mode: 'build', asks: true, cwd }),
	)
	expect(outputs.at(-1)).toEqual({ type: 'status', status: 'idle' })
	expect(ended).toEqual({ code: 0, signal: null, stderr: '' })
})

test('allowed for the session: the same is not asked again, and nothing outlives it', async () => {
	const session = (): AgentAnswer => ({ decision: 'allow', scope: 'session' })
	const first = await run('AGAIN', session)
	expect(requests(first.outputs)).toHaveLength(1)
	expect(requests(first.outputs)[0]?.ask.session_rules).toEqual([{ tool: 'bash', rule: 'touch *' }])
	expect(results(first.outputs).map(({ ok }) => ok)).toEqual([true, true])
	const again = await run('AGAIN', session, ['--session', sessionOf(first.outputs)])
	expect(requests(again.outputs)).toHaveLength(1)
})

test('two requests at once: what OpenCode drops with a denial is withdrawn, and nothing runs', async () => {
	await using agent = await start('BOTH')
	const outputs: AgentOutput[] = []
	for await (const output of agent.output) {
		outputs.push(output)
		const asked = requests(outputs)
		if (output.type !== 'request' || asked.length < 2) continue
		expect(await agent.answer(asked[0]?.id ?? '', { decision: 'deny', reason: 'no' })).toBe(true)
	}
	const [first, second] = requests(outputs)
	expect(outputs).toContainEqual({ type: 'applied', id: first?.id })
	expect(outputs).toContainEqual({ type: 'withdrawn', id: second?.id, result: 'denied' })
	expect(existsSync(join(cwd, 'one.txt'))).toBe(false)
	expect(existsSync(join(cwd, 'two.txt'))).toBe(false)
})

test('a changed input can not be handed over: it is denied, and said so', async () => {
	await using agent = await start('RUN it')
	const outputs: AgentOutput[] = []
	for await (const output of agent.output) {
		outputs.push(output)
		if (output.type !== 'request') continue
		const input = { command: 'touch edited.txt' }
		expect(await agent.answer(output.id, { decision: 'allow', scope: 'once', input })).toBe(false)
	}
	expect(outputs).toContainEqual({
		type: 'withdrawn',
		id: requests(outputs)[0]?.id,
		result: 'denied',
	})
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
	expect(existsSync(join(cwd, 'edited.txt'))).toBe(false)
})

test('a question is answered', async () => {
	const { outputs } = await run('ASK', ({ ask }) => {
		expect(ask).toMatchObject({ tool: 'question', questions: [question] })
		const input = { answers: { 'Which database?': 'SQLite' } }
		return { decision: 'allow', scope: 'once', input }
	})
	expect(results(outputs)[0]?.text).toContain('"Which database?"="SQLite"')
	expect(said(outputs)).toEqual(['thanks'])
})

test('a question is refused', async () => {
	const { outputs } = await run('ASK', () => ({ decision: 'deny', reason: 'not now' }))
	expect(results(outputs)[0]).toMatchObject({ ok: false })
	expect(outputs).toContainEqual({ type: 'applied', id: requests(outputs)[0]?.id })
})

test('stopped while a request waits: the agent ends, nothing ran, and nothing of ours is left', async () => {
	vi.stubEnv('TMPDIR', join(folder, 'tmp'))
	const { outputs } = await run('REMOVE it', (_request, agent) => {
		void agent.stop()
		return null
	})
	expect(outputs).toContainEqual(expect.objectContaining({ type: 'withdrawn' }))
	expect(existsSync(join(cwd, 'build'))).toBe(true)
	const left = readdirSync(join(folder, 'tmp'))
	expect(left.filter((name) => name.startsWith('styrby'))).toEqual([])
})

test('a prompt that is sent while it works is answered too', async () => {
	let sent = false
	const { outputs } = await run('RUN it', (_request, agent) => {
		if (!sent) void agent.prompt('HELLO again')
		sent = true
		return allow()
	})
	const prompts = events(outputs).flatMap((e) => (e.kind === 'user_prompt' ? [e.body] : []))
	expect(prompts).toEqual([
		{ text: 'RUN it', source: 'agent' },
		{ text: 'HELLO again', source: 'viewer' },
	])
	expect(said(outputs)).toContain('fine')
})

test('the last session is resumed, and another one branches off', async () => {
	const first = await run('RUN it', allow)
	const id = sessionOf(first.outputs)
	const again = await run('HELLO', unanswered, ['--continue'])
	expect(sessionOf(again.outputs)).toBe(id)
	expect(said(again.outputs)).toEqual(['fine'])
	const fork = await run('HELLO', unanswered, ['--session', id, '--fork'])
	expect(sessionOf(fork.outputs)).not.toBe(id)
})

test('a start that fails says why', async () => {
	await expect(start('x', ['--no-such-flag'])).rejects.toMatchObject({
		code: 'agent_arguments',
		message: expect.stringContaining('no-such-flag'),
	})
	await expect(start('x', ['--session', 'ses_none'])).rejects.toMatchObject({
		code: 'agent_failed',
		message: expect.stringContaining('ses_none'),
	})
	await expect(start('x', ['--model', 'big'])).rejects.toMatchObject({ code: 'agent_arguments' })
	const gone = await run('x', unanswered, ['--model', 'scripted/none'])
	expect(events(gone.outputs)).toContainEqual(expect.objectContaining({ kind: 'error' }))
	expect(gone.ended.code).toBe(1)
})

test('settings that OpenCode can not read end the start with its own words', async () => {
	await writeFile(join(folder, 'home/.config/opencode/opencode.json'), '{ "model": 7 }')
	await expect(start('x')).rejects.toMatchObject({ code: 'agent_failed' })
})

test('where the person has chosen, it stays so, and who is not asked is told', async () => {
	await seedOpencodeHome(join(folder, 'home'), api.url, { permission: 'allow' })
	const chosen = await run('RUN it')
	expect(requests(chosen.outputs)).toEqual([])
	expect(existsSync(join(cwd, 'made.txt'))).toBe(true)
	expect(chosen.outputs).toContainEqual(expect.objectContaining({ type: 'about', asks: false }))

	await seedOpencodeHome(join(folder, 'home'), api.url, { permission: { bash: 'allow' } })
	expect(requests((await run('RUN it')).outputs)).toEqual([])
	expect(requests((await run('EDIT', allow)).outputs)).toHaveLength(1)
})

test('--auto leaves it to OpenCode, and says so', async () => {
	const { outputs } = await run('RUN it', unanswered, ['--auto'])
	expect(requests(outputs)).toEqual([])
	expect(existsSync(join(cwd, 'made.txt'))).toBe(true)
	expect(outputs).toContainEqual(expect.objectContaining({ type: 'about', asks: false }))
})

test('it stays for prompts from elsewhere, in the agent that was chosen there, until it is stopped', async () => {
	const start = { adapter: opencode, cwd, env: environment(), args: [] }
	await using session = await HeadlessSession.start(start, 'HELLO', true)
	const { outputs } = session
	const idle = (turns: number) =>
		session.until(() => session.of('status').filter((one) => one.status === 'idle').length >= turns)
	await idle(1)
	expect(outputs).toContainEqual({
		type: 'about',
		takes: { prompt: true, interrupt: true, modes: ['build', 'plan'] },
	})
	for (const mode of ['explore', 'title', 'none']) {
		await expect(session.setMode(mode)).rejects.toMatchObject({ code: 'agent_cannot' })
	}
	await session.setMode('plan')
	await vi.waitFor(() =>
		expect(outputs.at(-1)).toEqual({ type: 'about', mode: 'plan', asks: true }),
	)
	await session.prompt('EDIT')
	await idle(2)
	expect(await readFile(join(cwd, 'greet.js'), 'utf8')).toContain('hello')
	await session.setMode('build')
	await session.prompt('FAIL')
	await idle(3)
	await session.prompt('HELLO')
	await idle(4)
	expect(said(outputs).filter((text) => text === 'fine')).toHaveLength(2)
	const modes = outputs.flatMap((output) => (output.type === 'about' ? [output.mode] : []))
	expect(modes.filter((mode, at) => mode !== undefined && mode !== modes[at - 1])).toEqual([
		'build',
		'plan',
		'build',
	])
	await session.stop()
	await session.until(() => session.ended)
	await expect(session.setMode('plan')).rejects.toMatchObject({ code: 'agent_cannot' })
})

test('events that break off are read on, with what was missed: a command, its result, a request', async () => {
	const flag = join(folder, 'break')
	const bin = join(folder, 'bin')
	const breaking = join(import.meta.dirname, '../../tools/breaking-opencode.ts')
	await mkdir(bin)
	const shell = `#!/bin/sh\nexec '${process.execPath}' '${breaking}' '${program}' '${flag}' "$@"\n`
	await writeFile(join(bin, 'opencode'), shell, { mode: 0o755 })
	const env = { ...environment(), PATH: `${bin}:${environment().PATH}` }
	await using agent = await opencode.start({
		cwd,
		args: [],
		env,
		headless: 'GAP',
		requestTimeoutMs: 60_000,
	})
	const outputs: AgentOutput[] = []
	for await (const output of agent.output) {
		outputs.push(output)
		if (output.type !== 'request') continue
		expect(await agent.answer(output.id, allow())).toBe(true)
		if (requests(outputs).length > 1) continue
		// The first command runs until it is broken, and ends while it is.
		await writeFile(flag, '')
		await vi.waitFor(() => expect(existsSync(join(cwd, 'first.txt'))).toBe(true), 30_000)
		await vi.waitFor(() => expect(api.requests.length).toBeGreaterThan(2), 30_000)
		await rm(flag)
	}
	expect(requests(outputs)).toHaveLength(2)
	expect(results(outputs).map(({ ok }) => ok)).toEqual([true, true])
	expect(said(outputs)).toEqual(['Now the first', 'Now the second', 'both done'])
	expect(existsSync(join(cwd, 'second.txt'))).toBe(true)
	expect(events(outputs)).toContainEqual(
		expect.objectContaining({
			kind: 'system',
			body: expect.objectContaining({ text: expect.stringContaining('made again') }),
		}),
	)
	expect((await agent.ended).code).toBe(0)
})

test('without its plugin nobody would be asked: it does not start', async () => {
	const env = { ...environment(), OPENCODE_PURE: '1' }
	await expect(
		opencode.start({ cwd, args: [], env, headless: 'RUN it', requestTimeoutMs: 60_000 }),
	).rejects.toMatchObject({ code: 'agent_failed', message: expect.stringContaining('PURE') })
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test('what it runs does not get the password of its server', async () => {
	const { outputs } = await run('ENV', allow)
	expect(results(outputs)[0]?.text).toBe('0\n')
})

test("a sub-agent's events carry the call that started it, and its requests are asked", async () => {
	const { outputs } = await run('HELPER', allow)
	const call = events(outputs).find(
		(event) => event.kind === 'tool_use' && event.body.name === 'task',
	)
	const parent = call?.kind === 'tool_use' ? call.body.tool_use : ''
	const inner = events(outputs).flatMap((event) =>
		event.kind === 'agent_response' && event.body.parent === parent ? [event.body.text] : [],
	)
	expect(inner).toEqual(['inner text', 'inner done'])
	expect(requests(outputs).map(({ ask }) => ask.tool)).toEqual(['bash'])
	expect(existsSync(join(cwd, 'inner.txt'))).toBe(true)
	expect(said(outputs)).toContain('helper done')
	expect(usage(outputs)).toHaveLength(4)
	expect(outputs.at(-1)).toEqual({ type: 'status', status: 'idle' })
})
