import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { codex } from '../../../source/agents/codex/index.ts'
import { NativeSession } from '../../tools/agent-session.ts'
import { findAgent } from '../../tools/agents.ts'
import { codexEnvironment, codexProcesses, seedCodexHome } from '../../tools/codex-home.ts'
import { until } from '../../tools/lab.ts'
import { codexScript } from '../../tools/scripted-codex.ts'
import { type ScriptedOpenai, startScriptedOpenai } from '../../tools/scripted-openai.ts'

// What all agents do alike is in the contract; here is what is Codex's own.

const ready = 'Ask Codex to do anything'
const asked = /Would you like to run the following command/

let program = ''
let folder = ''
let cwd = ''
let home = ''
let api: ScriptedOpenai

beforeAll(async () => {
	program = await findAgent('codex')
}, 300_000)

beforeEach(async () => {
	folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-test-')))
	cwd = join(folder, 'project')
	home = join(folder, 'home')
	await mkdir(cwd, { recursive: true })
	await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	api = await startScriptedOpenai({ script: codexScript, vars: { cwd } })
	await seedCodexHome(home, { apiUrl: api.url, projects: [cwd] })
})

afterEach(async () => {
	await api.close()
	await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
})

async function start(args: readonly string[] = []): Promise<NativeSession> {
	const env = codexEnvironment(home)
	env.PATH = `${dirname(program)}${delimiter}${env.PATH}`
	const session = await NativeSession.start({ adapter: codex, cwd, env, args }, folder, ready)
	await session.until(() => session.of('about').some(({ takes }) => takes !== undefined))
	await session.until(() => session.of('status')[0]?.status === 'idle')
	return session
}

/** Waits for the end of the turn that is the n-th (from 1). */
async function idle(session: NativeSession, n = 1): Promise<void> {
	// The first one says that the interface stands.
	const ends = () => session.of('status').filter(({ status }, at) => status === 'idle' && at > 0)
	await session.until(() => ends().length >= n)
}

test('prompts, an interrupt, a mode and an answer from elsewhere reach the interface', async () => {
	await using session = await start()
	const { terminal } = session
	await session.send('TEXT from afar')
	await terminal.until('Good day to you')
	await idle(session)
	expect(session.events()).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'TEXT from afar', source: 'viewer' },
	})

	await session.send('WAIT for me')
	await terminal.until('thinking about it')
	await session.interrupt()
	await idle(session, 2)
	await terminal.until('interrupted')

	await session.prompt('ASK me')
	const question = await session.request(/Which database\?/)
	expect(question.ask.questions).toMatchObject([{ question: 'Which database?' }])
	const answers = { 'Which database?': 'SQLite' }
	expect(
		await session.answer(question.id, { decision: 'allow', scope: 'once', input: { answers } }),
	).toBe(true)
	await idle(session, 3)
	await terminal.until('thanks')
	expect(api.requests.some(({ body }) => JSON.stringify(body).includes('SQLite\\"'))).toBe(true)

	// It asks for edits in this mode, also for those of prompts that are typed in the interface.
	await session.setMode('read-only')
	await session.until(() => session.of('about').some(({ mode }) => mode === 'read-only'))
	await session.prompt('EDIT it')
	const { id, ask } = await session.request(/Would you like to make the following edits/, 2)
	expect(ask.tool).toBe('apply_patch')
	expect(await session.answer(id, { decision: 'deny', reason: 'leave it' })).toBe(true)
	await idle(session, 4)
	expect(await readFile(join(cwd, 'greet.js'), 'utf8')).toContain('hello')
	await expect(session.setMode('danger-full-access')).rejects.toThrow('agent_cannot')
})

test('the app-server is killed while a request waits: withdrawn, and the interface goes on', async () => {
	await using session = await start()
	await session.prompt('RUN it')
	const { id } = await session.request(asked)
	for (const { pid, args } of await codexProcesses(home)) {
		if (args.includes('app-server')) process.kill(pid, 'SIGKILL')
	}
	await idle(session)
	expect(session.of('withdrawn')).toEqual([{ type: 'withdrawn', id, result: 'cancelled' }])
	expect(await session.answer(id, { decision: 'allow', scope: 'once' })).toBe(false)
	await session.terminal.until('Conversation interrupted')
	await session.prompt('TEXT please')
	await session.terminal.until('Good day to you')
	await idle(session, 2)
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test('the host is killed while a request waits: the agent ends, and nothing was approved', async () => {
	await using session = await start()
	await session.prompt('RUN it')
	await session.request(asked)
	const host = session.terminal.pid
	process.kill(host, 'SIGKILL')
	await session.terminal.exited
	await until(async () => (await codexProcesses(home)).every(({ pid }) => pid === host))
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test('resumed with another sandbox: the session has it, and asks by it', async () => {
	let id = ''
	{
		await using session = await start()
		await session.prompt('TEXT please')
		await idle(session)
		id = session.of('about').findLast((about) => about.session !== undefined)?.session ?? ''
		expect(session.of('about').some(({ mode }) => mode === 'workspace-write')).toBe(true)
	}
	await using again = await start(['--sandbox', 'read-only', 'resume', id])
	await again.terminal.until('Good day to you')
	const about = again.of('about').find(({ session }) => session === id)
	expect(about).toMatchObject({ mode: 'read-only', asks: true })
	await again.prompt('EDIT it')
	const { ask } = await again.request(/Would you like to make the following edits/)
	expect(ask.tool).toBe('apply_patch')
})
