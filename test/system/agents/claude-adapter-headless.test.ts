import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RunningAgent } from '../../../source/agents/agent.ts'
import { claude } from '../../../source/agents/claude/index.ts'
import { claudeEnvironment, findAgent } from '../../tools/agents.ts'
import {
	type Answer,
	allow,
	events,
	readAll,
	requests,
	results,
	said,
	unanswered,
} from '../../tools/outputs.ts'
import { type ScriptedAnthropic, startScriptedAnthropic } from '../../tools/scripted-anthropic.mjs'

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

async function run(prompt: string, answer: Answer = unanswered, args: string[] = []) {
	await using agent = await start(prompt, args)
	return { outputs: await readAll(agent, answer), ended: await agent.ended }
}

test('the agent is found, with its version', async () => {
	const env = { ...process.env, PATH: dirname(program) }
	expect(await claude.find(env)).toEqual({ path: program, version: claude.tested.to })
	expect(await claude.find({ PATH: '/nowhere' })).toBeNull()
	await expect(
		claude.start({ cwd, args: [], env: { PATH: '' }, headless: 'x', requestTimeoutMs: 1000 }),
	).rejects.toMatchObject({ code: 'agent_not_installed' })
})

test('allowed for the session: the same is not asked again, and nothing is written', async () => {
	const { outputs } = await run('AGAIN', () => ({ decision: 'allow', scope: 'session' }))
	expect(requests(outputs)).toHaveLength(1)
	expect(results(outputs).map(({ ok }) => ok)).toEqual([true, true])
	expect(existsSync(join(cwd, '.claude'))).toBe(false)
})

test('what a command is shown with', async () => {
	const { outputs, ended } = await run('RUN it', allow)
	expect(requests(outputs)[0]?.ask).toMatchObject({
		tool: 'Bash',
		input: { command: 'touch made.txt' },
		description: 'A command',
		cwd,
		session_rules: [{ tool: 'Bash', rule: 'touch made.txt' }],
		questions: null,
	})
	expect(outputs).toContainEqual(
		expect.objectContaining({ type: 'about', mode: 'default', asks: true, version: '2.1.330' }),
	)
	expect(outputs.at(-1)).toEqual({ type: 'status', status: 'idle' })
	expect(ended).toMatchObject({ code: 0, signal: null })
})

test('allowed once: the same is asked again', async () => {
	const { outputs } = await run('AGAIN', allow)
	expect(requests(outputs)).toHaveLength(2)
})

test('an answer is taken once', async () => {
	expect.assertions(4)
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

test('stopped while a request waits: the agent ends, and nothing ran', async () => {
	const { outputs, ended } = await run('REMOVE it', (_request, agent) => {
		void agent.stop()
		return null
	})
	expect(outputs).toContainEqual(expect.objectContaining({ type: 'withdrawn' }))
	expect(ended.code).not.toBeNull()
	expect(existsSync(join(cwd, 'build'))).toBe(true)
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
	const { outputs } = await run('RUN it', unanswered, ['--permission-mode', 'dontAsk'])
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
