import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { AgentOutput, RunningAgent } from '../../../source/agents/agent.ts'
import { codex } from '../../../source/agents/codex/index.ts'
import { findAgent } from '../../tools/agents.ts'
import { codexEnvironment, seedCodexHome } from '../../tools/codex-home.ts'
import {
	type Answer,
	allow,
	allowForSession,
	calls,
	deny,
	events,
	readAll,
	requests,
	results,
	said,
	unanswered,
	usage,
} from '../../tools/outputs.ts'
import { codexScript } from '../../tools/scripted-codex.ts'
import { type ScriptedOpenai, startScriptedOpenai } from '../../tools/scripted-openai.ts'

const mcpServer = fileURLToPath(new URL('../../tools/bench-mcp-server.mjs', import.meta.url))

let program = ''
let folder = ''
let cwd = ''
let api: ScriptedOpenai

beforeAll(async () => {
	program = await findAgent('codex')
}, 300_000)

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	cwd = join(folder, 'project')
	await mkdir(join(cwd, 'build'), { recursive: true })
	await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	api = await startScriptedOpenai({ script: codexScript, vars: { cwd } })
	await seedCodexHome(join(folder, 'home'), {
		apiUrl: api.url,
		projects: [cwd],
		more: `[mcp_servers.bench]\ncommand = "${process.execPath}"\nargs = ["${mcpServer}"]\n`,
	})
})

afterEach(async () => {
	await api.close()
	await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
})

async function start(prompt: string, args: string[] = [], stay = false): Promise<RunningAgent> {
	const env = codexEnvironment(join(folder, 'home'))
	env.PATH = `${dirname(program)}${delimiter}${env.PATH}`
	return codex.start({ cwd, args, env, headless: prompt, stay, requestTimeoutMs: 60_000 })
}

async function run(prompt: string, answer: Answer = unanswered, args: string[] = []) {
	await using agent = await start(prompt, args)
	return { outputs: await readAll(agent, answer), ended: await agent.ended }
}

const inputSchema = v.object({ input: v.array(v.unknown()) })
/** What the model was sent last: the newest of it. */
const heard = () => {
	const { input } = v.parse(inputSchema, api.requests.at(-1)?.body)
	return JSON.stringify(input.slice(-6))
}

// What all agents do alike is in the contract; here is what is Codex's own.

test('the agent is found, with its version', async () => {
	const env = { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env.PATH}` }
	expect(await codex.find(env)).toEqual({ path: program, version: codex.tested.to })
	expect(await codex.find({ PATH: '/nowhere' })).toBeNull()
	await expect(
		codex.start({ cwd, args: [], env: { PATH: '' }, headless: 'x', requestTimeoutMs: 1000 }),
	).rejects.toMatchObject({ code: 'agent_not_installed' })
})

test('text only: streamed, thought about, counted', async () => {
	const { outputs, ended } = await run('TEXT please')
	expect(events(outputs).find(({ kind }) => kind !== 'system')).toEqual({
		kind: 'user_prompt',
		body: { text: 'TEXT please', source: 'agent' },
	})
	const answer = 'Good day to you, and to all who read along.'
	const response = events(outputs).find((event) => event.kind === 'agent_response')
	expect(response?.body).toMatchObject({ text: answer, model: 'gpt-5.5', parent: null })
	const frames = outputs.flatMap((output) =>
		output.type === 'text' && output.kind === 'agent_response' ? [output] : [],
	)
	expect(frames.map(({ text }) => text).join('')).toBe(answer)
	expect(frames.length).toBeGreaterThan(1)
	expect(frames[0]?.block).toBe(response?.body.block)
	expect(frames[1]?.offset).toBe(frames[0]?.text.length)
	const thinking = events(outputs).find((event) => event.kind === 'agent_thinking')
	expect(thinking?.body.text).toBe('A greeting is due.')
	expect(usage(outputs)).toEqual([
		{
			message: null,
			model: 'gpt-5.5',
			input: 1034,
			output: 56,
			cache_read: 200,
			cache_write: 0,
			// 1034 at $5, 200 at $0.50 and 56 at $30 a million.
			cost_usd: 0.00695,
			cost_source: 'price-table',
		},
	])
	expect(outputs).toContainEqual(
		expect.objectContaining({ type: 'about', version: '0.169.0', cwd, asks: true }),
	)
	expect(outputs.at(-1)).toEqual({ type: 'status', status: 'idle' })
	expect(ended).toMatchObject({ code: 0, signal: null })
})

test('a command that fails is told with its exit code', async () => {
	const { outputs } = await run('EXIT', allow)
	expect(results(outputs)).toMatchObject([{ ok: false, text: 'lost\n', exit_code: 3 }])
})

test('denied: nothing runs, and the model reads the reason', async () => {
	const { outputs } = await run('REMOVE it', () => deny('keep the build'))
	expect(results(outputs)).toMatchObject([{ ok: false, exit_code: null }])
	expect(outputs).toContainEqual({ type: 'applied', id: requests(outputs)[0]?.id })
	expect(existsSync(join(cwd, 'build'))).toBe(true)
	expect(heard()).toMatch(/rejected by user.*keep the build/)
	expect(events(outputs)).toContainEqual({
		kind: 'system',
		body: { type: 'denial', text: 'keep the build', data: null },
	})
	expect(events(outputs).filter(({ kind }) => kind === 'user_prompt')).toHaveLength(1)
})

test('allowed for the session: the same is not asked again, another is, and nothing is written', async () => {
	const { outputs } = await run('AGAIN', allowForSession)
	expect(requests(outputs).map(({ ask }) => ask.input)).toEqual([
		{ command: ['/bin/bash', '-lc', 'touch made.txt'] },
		{ command: ['/bin/bash', '-lc', 'touch other.txt'] },
	])
	expect(results(outputs).map(({ ok }) => ok)).toEqual([true, true, true])
	expect(existsSync(join(folder, 'home', 'rules'))).toBe(false)
})

test('an answer that comes twice, or is for nothing, is not taken', async () => {
	expect.assertions(5)
	await using agent = await start('RUN it')
	for await (const output of agent.output) {
		if (output.type !== 'request') continue
		expect(await agent.answer('999', allow())).toBe(false)
		await expect(
			agent.answer(output.id, { decision: 'allow', scope: 'once', input: { command: 'ls' } }),
		).rejects.toMatchObject({ code: 'agent_cannot' })
		expect(await agent.answer(output.id, deny('no'))).toBe(true)
		expect(await agent.answer(output.id, allow())).toBe(false)
	}
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test('a question is answered with a choice', async () => {
	const answers = { 'Which database?': 'SQLite' }
	const { outputs } = await run('ASK', () => ({
		decision: 'allow',
		scope: 'once',
		input: { answers },
	}))
	expect(requests(outputs)[0]?.ask.questions).toEqual([
		{
			question: 'Which database?',
			header: 'Database',
			multiple: false,
			options: [
				{ label: 'Postgres', description: 'A server' },
				{ label: 'SQLite', description: 'A file' },
			],
		},
	])
	expect(heard()).toContain('SQLite')
	expect(said(outputs)).toEqual(['thanks'])
})

test('a question that is denied gets the reason; a permission is no answer to it', async () => {
	await using agent = await start('ASK')
	for await (const output of agent.output) {
		if (output.type !== 'request') continue
		await expect(agent.answer(output.id, allow())).rejects.toMatchObject({ code: 'agent_cannot' })
		expect(await agent.answer(output.id, deny('ask me tomorrow'))).toBe(true)
	}
	expect(heard()).toContain('ask me tomorrow')
})

test('more permissions are granted as they were shown, or not at all', async () => {
	const granted = await run('ALLOWANCE', allow)
	expect(requests(granted.outputs)[0]?.ask).toMatchObject({
		tool: 'request_permissions',
		input: { network: { enabled: true } },
		reason: 'To fetch it',
		session_rules: [
			{ tool: 'request_permissions', rule: 'network' },
			{ tool: 'request_permissions', rule: 'write /opt/shared' },
		],
	})
	expect(heard()).toMatch(/\\"permissions\\":\{\\"network\\":\{\\"enabled\\":true/)
	await run('ALLOWANCE', () => deny('no'))
	expect(heard()).toMatch(/\\"permissions\\":\{\\"network\\":null,\\"file_system\\":null/)
})

test('a tool of an MCP server is asked for, once for the session', async () => {
	const { outputs } = await run('POKE', allowForSession)
	expect(requests(outputs).map(({ ask }) => ask)).toMatchObject([
		{
			tool: 'mcp__bench__poke',
			input: { what: 'it' },
			session_rules: [{ tool: 'mcp__bench__poke', rule: null }],
		},
	])
	expect(requests(outputs)[0]?.ask.tool_use).toBe(calls(outputs)[0]?.tool_use)
	expect(results(outputs)).toMatchObject([
		{ ok: true, text: 'poked it' },
		{ ok: true, text: 'poked again' },
	])
	const denied = await run('POKE', () => deny('do not'))
	expect(requests(denied.outputs)).toHaveLength(2)
	expect(results(denied.outputs)).toMatchObject([{ ok: false }, { ok: false }])
})

test('a form of an MCP server is filled in by question', async () => {
	const { outputs } = await run('FORM', () => ({
		decision: 'allow',
		scope: 'once',
		input: { answers: { Colour: 'blue', count: '3' } },
	}))
	expect(requests(outputs)[0]?.ask).toMatchObject({
		tool: 'mcp__bench',
		description: 'What colour?',
		questions: [{ question: 'Colour' }, { question: 'count' }],
	})
	expect(results(outputs)[0]?.text).toBe(
		'{"action":"accept","content":{"colour":"blue","count":3}}',
	)
})

test('a web search is a call with a result', async () => {
	const { outputs } = await run('SEARCH')
	expect(calls(outputs)).toMatchObject([{ name: 'web_search', input: { query: 'cats' } }])
	expect(results(outputs)).toMatchObject([{ ok: true }])
})

test.each([
	['LIMIT', '429'],
	['OVERLOAD', '529'],
])('an error of the model (%s) is told once', async (prompt, text) => {
	const { outputs, ended } = await run(prompt)
	const errors = events(outputs).flatMap((event) => (event.kind === 'error' ? [event.body] : []))
	expect(errors).toHaveLength(1)
	expect(errors[0]?.text).toContain(text)
	expect(ended.code).toBe(1)
})

test('what can not be kept is refused at the start', async () => {
	await expect(start('TEXT', ['--worktree'])).rejects.toMatchObject({ code: 'agent_argument' })
	await expect(start('TEXT', ['resume', 'nobody'])).rejects.toMatchObject({ code: 'agent_failed' })
	await expect(start('TEXT', ['-c', 'model_provider="none"'])).rejects.toMatchObject({
		code: 'agent_failed',
	})
})

test('without approvals, the session says so', async () => {
	const { outputs } = await run('RUN it', allow, ['-a', 'never'])
	expect(outputs).toContainEqual(expect.objectContaining({ type: 'about', asks: false }))
	expect(requests(outputs)).toHaveLength(0)
})

test('a session that stays takes prompts and another mode, and asks in it', async () => {
	await using agent = await start('TEXT please', [], true)
	const outputs: AgentOutput[] = []
	const idle = () => outputs.filter((o) => o.type === 'status' && o.status === 'idle').length
	for await (const output of agent.output) {
		outputs.push(output)
		if (output.type === 'request') await agent.answer(output.id, deny('leave it'))
		if (output.type !== 'status' || output.status !== 'idle') continue
		if (idle() === 1) {
			await expect(agent.setMode('danger-full-access')).rejects.toMatchObject({
				code: 'agent_cannot',
			})
			await agent.setMode('read-only')
			await agent.prompt('EDIT it')
		} else void agent.stop()
	}
	expect(outputs).toContainEqual({
		type: 'about',
		takes: { prompt: true, interrupt: true, modes: ['read-only', 'workspace-write'] },
	})
	const modes = outputs.flatMap((o) => (o.type === 'about' && o.mode ? [o.mode] : []))
	expect(modes).toEqual(['workspace-write', 'read-only'])
	expect(requests(outputs)).toMatchObject([{ ask: { tool: 'apply_patch' } }])
	expect(events(outputs)).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'EDIT it', source: 'viewer' },
	})
	expect(await agent.ended).toMatchObject({ code: 0 })
})

test('a model that calls its tools from a script is asked for, and answered, all the same', async () => {
	const { outputs } = await run('CODE', allow, ['--model', 'gpt-6.1-sol'])
	expect(requests(outputs)).toMatchObject([
		{
			ask: { tool: 'exec_command', input: { command: ['/bin/bash', '-lc', 'echo from a script'] } },
		},
	])
	expect(results(outputs)).toMatchObject([{ ok: true, text: 'from a script\n', exit_code: 0 }])
	expect(heard()).toContain('from a script')
	// 90 at $2, 10 at $0.10 and 20 at $10 a million.
	expect(usage(outputs)[0]).toMatchObject({ model: 'gpt-6.1-sol', cost_usd: 0.000381 })
})

test('a sub-agent speaks under the call that started it, and is counted', async () => {
	const args = ['--model', 'gpt-6.1-sol', '--enable', 'multi_agent_v2']
	const { outputs } = await run('SPAWN', allow, args)
	const spawned = calls(outputs).find(({ name }) => name === 'spawn_agent')
	expect(spawned?.input).toEqual({ agent: '/root/helper' })
	const answers = events(outputs).flatMap((e) => (e.kind === 'agent_response' ? [e.body] : []))
	expect(answers.map(({ text, parent }) => [text, parent])).toEqual([
		['fine', spawned?.tool_use],
		['both are done', null],
	])
	expect(results(outputs).map(({ tool_use }) => tool_use)).toContain(spawned?.tool_use)
	expect(usage(outputs)).toHaveLength(4)
})
