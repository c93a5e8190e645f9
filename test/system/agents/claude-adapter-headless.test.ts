import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { AgentAnswer, AgentOutput, RunningAgent } from '../../../source/agents/agent.ts'
import { claude } from '../../../source/agents/claude/index.ts'
import { claudeEnvironment, findAgent } from '../../tools/agents.ts'
import { type ScriptedAnthropic, startScriptedAnthropic } from '../../tools/scripted-anthropic.mjs'

type Request = Extract<AgentOutput, { type: 'request' }>
type Answer = (request: Request, agent: RunningAgent) => AgentAnswer | null

let program = ''
let folder = ''
let cwd = ''
let api: ScriptedAnthropic

beforeAll(async () => {
	program = await findAgent('claude')
}, 300_000)

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	cwd = join(folder, 'project')
	await mkdir(join(cwd, 'build'), { recursive: true })
	await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	api = await startScriptedAnthropic({
		vars: { cwd },
		script: {
			rules: [
				{ match: '^RUN', turns: [[bash('touch made.txt')], [{ text: 'made' }]] },
				{
					match: '^AGAIN',
					turns: [[bash('touch made.txt')], [bash('touch made.txt')], [{ text: 'ok' }]],
				},
				{ match: '^REMOVE', turns: [[bash('rm -rf build')], [{ text: 'left alone' }]] },
				{
					match: '^TWO',
					turns: [[bash('touch one.txt')], [bash('touch two.txt')], [{ text: 'both' }]],
				},
				{
					match: '^EDIT',
					turns: [
						[{ tool: 'Read', input: { file_path: `${cwd}/greet.js` } }],
						[
							{
								tool: 'Edit',
								input: {
									file_path: `${cwd}/greet.js`,
									old_string: '"hello"',
									new_string: '"good day"',
								},
							},
						],
						[{ text: 'edited' }],
					],
				},
				{
					match: '^ASK',
					turns: [[{ tool: 'AskUserQuestion', input: question }], [{ text: 'thanks' }]],
				},
				{ match: '^WAIT', turns: [[{ text: 'thinking about it' }, { hang: true }]] },
				{
					match: '^FAIL',
					turns: [
						[{ error: { status: 400, type: 'invalid_request_error', message: 'no such thing' } }],
					],
				},
				{
					match: '^INNER',
					turns: [[{ text: 'inner text' }, bash('touch inner.txt')], [{ text: 'inner done' }]],
				},
				{
					match: '^HELPER',
					turns: [
						[
							{
								tool: 'Agent',
								input: {
									description: 'Help',
									prompt: 'INNER please',
									subagent_type: 'general-purpose',
								},
							},
						],
						[{ text: 'helper started' }],
					],
				},
			],
			fallback: 'fine',
		},
	})
})

afterEach(async () => {
	await api.close()
	await rm(folder, { recursive: true, force: true })
})

function bash(command: string) {
	return { tool: 'Bash', input: { command, description: 'A command' } }
}

const question = {
	questions: [
		{
			question: 'Which database?',
			header: 'Database',
			multiSelect: false,
			options: [
				{ label: 'Postgres', description: 'A server' },
				{ label: 'SQLite', description: 'A file' },
			],
		},
	],
}

async function start(prompt: string, args: string[] = []): Promise<RunningAgent> {
	const env = claudeEnvironment(join(folder, 'home'), api.url)
	env.PATH = `${dirname(program)}${delimiter}${env.PATH}`
	return claude.start({ cwd, args, env, headless: prompt, requestTimeoutMs: 60_000 })
}

async function run(prompt: string, answer: Answer = () => null, args: string[] = []) {
	await using agent = await start(prompt, args)
	const outputs: AgentOutput[] = []
	for await (const output of agent.output) {
		outputs.push(output)
		if (output.type !== 'request') continue
		const given = answer(output, agent)
		if (given !== null) expect(await agent.answer(output.id, given)).toBe(true)
	}
	return { outputs, ended: await agent.ended }
}

const events = (outputs: AgentOutput[]) =>
	outputs.flatMap((output) => (output.type === 'event' ? [output.event] : []))
const requests = (outputs: AgentOutput[]) =>
	outputs.flatMap((output) => (output.type === 'request' ? [output] : []))
const results = (outputs: AgentOutput[]) =>
	events(outputs).flatMap((event) => (event.kind === 'tool_result' ? [event.body] : []))
const said = (outputs: AgentOutput[]) =>
	events(outputs).flatMap((event) => (event.kind === 'agent_response' ? [event.body.text] : []))
const allow = (): AgentAnswer => ({ decision: 'allow', scope: 'once' })

test('the agent is found, with its version', async () => {
	const env = { ...process.env, PATH: dirname(program) }
	expect(await claude.find(env)).toEqual({ path: program, version: claude.tested.to })
	expect(await claude.find({ PATH: '/nowhere' })).toBeNull()
	await expect(
		claude.start({ cwd, args: [], env: { PATH: '' }, headless: 'x', requestTimeoutMs: 1000 }),
	).rejects.toMatchObject({ code: 'agent_not_installed' })
})

test('allowed: the command runs', async () => {
	const { outputs, ended } = await run('RUN it', allow)
	const [request] = requests(outputs)
	expect(request?.ask).toMatchObject({
		tool: 'Bash',
		input: { command: 'touch made.txt' },
		description: 'A command',
		cwd,
		session_rules: [{ tool: 'Bash', rule: 'touch made.txt' }],
		questions: null,
	})
	expect(outputs).toContainEqual({ type: 'applied', id: request?.id })
	expect(existsSync(join(cwd, 'made.txt'))).toBe(true)
	expect(results(outputs)[0]).toMatchObject({ ok: true, tool_use: request?.ask.tool_use })
	expect(said(outputs)).toEqual(['made'])
	expect(events(outputs)[0]).toEqual({
		kind: 'user_prompt',
		body: { text: 'RUN it', source: 'agent' },
	})
	expect(outputs).toContainEqual(
		expect.objectContaining({ type: 'about', mode: 'default', asks: true, version: '2.1.330' }),
	)
	expect(outputs.at(-1)).toEqual({ type: 'status', status: 'idle' })
	expect(ended).toMatchObject({ code: 0, signal: null })
})

test('denied: the agent gets the reason, and nothing runs', async () => {
	const { outputs } = await run('REMOVE it', () => ({ decision: 'deny', reason: 'keep the build' }))
	expect(results(outputs)[0]).toMatchObject({ ok: false, text: 'keep the build' })
	expect(outputs).toContainEqual({ type: 'applied', id: requests(outputs)[0]?.id })
	expect(existsSync(join(cwd, 'build'))).toBe(true)
	expect(said(outputs)).toEqual(['left alone'])
})

test('allowed for the session: the same is not asked again, and nothing is written', async () => {
	const { outputs } = await run('AGAIN', () => ({ decision: 'allow', scope: 'session' }))
	expect(requests(outputs)).toHaveLength(1)
	expect(results(outputs).map(({ ok }) => ok)).toEqual([true, true])
	expect(existsSync(join(cwd, '.claude'))).toBe(false)
})

test('allowed once: the same is asked again', async () => {
	const { outputs } = await run('AGAIN', allow)
	expect(requests(outputs)).toHaveLength(2)
})

test('two requests in a row are two', async () => {
	const { outputs } = await run('TWO', ({ ask }) =>
		JSON.stringify(ask.input).includes('one')
			? allow()
			: { decision: 'deny', reason: 'one will do' },
	)
	expect(requests(outputs)).toHaveLength(2)
	expect(new Set(requests(outputs).map(({ id }) => id)).size).toBe(2)
	expect(existsSync(join(cwd, 'one.txt'))).toBe(true)
	expect(existsSync(join(cwd, 'two.txt'))).toBe(false)
})

test('an answer is taken once', async () => {
	await using agent = await start('RUN it')
	for await (const output of agent.output) {
		if (output.type !== 'request') continue
		expect(await agent.answer('no such request', allow())).toBe(false)
		expect(await agent.answer(output.id, { decision: 'deny', reason: 'no' })).toBe(true)
		expect(await agent.answer(output.id, allow())).toBe(false)
	}
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test('an edited input runs as edited', async () => {
	await run('RUN it', () => ({
		decision: 'allow',
		scope: 'once',
		input: { command: 'touch edited.txt', description: 'A command' },
	}))
	expect(existsSync(join(cwd, 'edited.txt'))).toBe(true)
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test('a question is answered', async () => {
	const { outputs } = await run('ASK', ({ ask }) => {
		expect(ask.questions).toMatchObject([{ question: 'Which database?', multiple: false }])
		const input = { answers: { 'Which database?': 'SQLite' } }
		return { decision: 'allow', scope: 'once', input }
	})
	expect(results(outputs)[0]?.text).toContain('"Which database?"="SQLite"')
	expect(said(outputs)).toEqual(['thanks'])
})

test('an edit is shown as a diff before, and its result as one after', async () => {
	const { outputs } = await run('EDIT', allow)
	const change = {
		path: `${cwd}/greet.js`,
		hunks: [
			{
				old_start: 1,
				old_lines: 3,
				new_start: 1,
				new_lines: 3,
				lines: [' function greet() {', '-  return "hello"', '+  return "good day"', ' }'],
			},
		],
	}
	expect(requests(outputs).map(({ ask }) => ask.changes)).toEqual([[change]])
	expect(results(outputs).map(({ changes }) => changes)).toEqual([[], [change]])
	expect(await readFile(join(cwd, 'greet.js'), 'utf8')).toContain('good day')
})

test('interrupted while a request waits: it is withdrawn', async () => {
	const { outputs } = await run('REMOVE it', (_request, agent) => {
		void agent.interrupt()
		return null
	})
	expect(outputs).toContainEqual({
		type: 'withdrawn',
		id: requests(outputs)[0]?.id,
		result: 'cancelled',
	})
	expect(existsSync(join(cwd, 'build'))).toBe(true)
})

test('interrupted while it writes: it stops', async () => {
	await using agent = await start('WAIT')
	const outputs: AgentOutput[] = []
	for await (const output of agent.output) {
		outputs.push(output)
		if (output.type === 'text') await agent.interrupt()
	}
	expect(events(outputs).map(({ kind }) => kind)).toContain('system')
	expect(events(outputs).some(({ kind }) => kind === 'error')).toBe(false)
})

test('stopped while a request waits: the agent ends, and nothing ran', async () => {
	const { outputs, ended } = await run('REMOVE it', (_request, agent) => {
		void agent.stop()
		return null
	})
	expect(outputs).toContainEqual(expect.objectContaining({ type: 'withdrawn' }))
	expect(ended.code).not.toBeNull()
	expect(existsSync(join(cwd, 'build'))).toBe(true)
})

test('an error of the API is an error, once', async () => {
	const { outputs, ended } = await run('FAIL')
	const errors = events(outputs).filter(({ kind }) => kind === 'error')
	expect(errors).toHaveLength(1)
	expect(JSON.stringify(errors)).toContain('no such thing')
	expect(ended.code).toBe(1)
})

test('arguments of the person are handed on: a session is resumed', async () => {
	const first = await run('RUN it', allow)
	const about = first.outputs.find((output) => output.type === 'about' && output.session)
	const id = about?.type === 'about' ? (about.session ?? '') : ''
	const again = await run('HELLO', () => null, ['--resume', id])
	expect(again.outputs).toContainEqual(expect.objectContaining({ type: 'about', session: id }))
	expect(said(again.outputs)).toEqual(['fine'])
	const own = events(again.outputs).flatMap((e) => (e.kind === 'usage' ? [e.body] : []))
	expect(own.reduce((sum, { input }) => sum + input, 0)).toBe(1200)
	const cost = (run: typeof first) =>
		events(run.outputs).reduce(
			(sum, e) => sum + (e.kind === 'usage' ? (e.body.cost_usd ?? 0) : 0),
			0,
		)
	// Two responses, then one: the resumed session does not pay for both again.
	expect(cost(again) / cost(first)).toBeCloseTo(0.5, 1)
})

test('a start that fails says why', async () => {
	await expect(start('x', ['--no-such-flag'])).rejects.toMatchObject({
		code: 'agent_failed',
		message: expect.stringContaining('no-such-flag'),
	})
	await expect(
		start('x', ['--resume', '00000000-0000-4000-8000-000000000000']),
	).rejects.toMatchObject({ code: 'agent_failed' })
})

test('a mode in which nobody is asked is said', async () => {
	const { outputs } = await run('RUN it', () => null, ['--permission-mode', 'dontAsk'])
	expect(outputs).toContainEqual(
		expect.objectContaining({ type: 'about', mode: 'dontAsk', asks: false }),
	)
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test("a sub-agent's events carry the call that started it, and the session waits for it", async () => {
	const { outputs } = await run('HELPER', allow)
	const inner = events(outputs).flatMap(({ kind, body }) =>
		(kind === 'agent_response' || kind === 'tool_result') && body.parent !== null
			? [body.text]
			: [],
	)
	expect(inner).toContain('inner text')
	expect(inner).toContain('inner done')
	expect(existsSync(join(cwd, 'inner.txt'))).toBe(true)
})

test('usage and cost are what the API gave', async () => {
	const { outputs } = await run('RUN it', allow)
	const usage = events(outputs).flatMap((event) => (event.kind === 'usage' ? [event.body] : []))
	const sum = (field: 'input' | 'cache_read' | 'cache_write') =>
		usage.reduce((all, one) => all + one[field], 0)
	expect([sum('input'), sum('cache_read'), sum('cache_write')]).toEqual([2400, 18_000, 600])
	const priced = usage.filter(({ cost_usd }) => cost_usd !== null)
	expect(priced.map(({ cost_source }) => cost_source)).toEqual(['agent'])
	expect(priced[0]?.cost_usd).toBeGreaterThan(0)
})
