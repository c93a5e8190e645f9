import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { opencode } from '../../../source/agents/opencode/index.ts'
import { isAlive } from '../../../source/config/is-alive.ts'
import { NativeSession } from '../../tools/agent-session.ts'
import { findAgent } from '../../tools/agents.ts'
import { opencodeEnvironment, seedOpencodeHome } from '../../tools/opencode.ts'
import { opencodeScript } from '../../tools/opencode-script.ts'
import { childProcesses } from '../../tools/processes.ts'
import {
	type ScriptedOpenaiChat,
	startScriptedOpenaiChat,
} from '../../tools/scripted-openai-chat.ts'

const limit = 240_000

let program = ''
let folder = ''
let cwd = ''
let api: ScriptedOpenaiChat
let session: NativeSession

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
	const env = { ...opencodeEnvironment(join(folder, 'home'), program), TMPDIR: join(folder, 'tmp') }
	const start = { adapter: opencode, cwd, env, args: [] }
	session = await NativeSession.start(start, folder, 'Ask anything')
	// Before the first prompt it is said that the interface stands.
	await session.until(() => session.of('status')[0]?.status === 'idle')
}, limit)

afterEach(async () => {
	await session[Symbol.asyncDispose]()
	await api[Symbol.asyncDispose]()
	await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}, limit)

/** The server, and the interface that is attached to it. */
async function agents() {
	const children = await childProcesses(session.terminal.pid)
	return children.filter(({ command }) => command.startsWith(program))
}

test(
	'questions, prompts and interrupts from elsewhere reach it, and it ends as it should',
	async () => {
		await session.prompt('ASK it')
		const { id } = await session.request(/Which database/)
		const input = { answers: { 'Which database?': 'SQLite' } }
		expect(await session.answer(id, { decision: 'allow', scope: 'once', input })).toBe(true)
		await session.said('thanks')
		expect(session.of('about').flatMap(({ takes }) => takes ?? [])).toEqual([
			{ prompt: false, interrupt: true, modes: [] },
			{ prompt: true, interrupt: true, modes: [] },
		])
		expect(session.of('about')).toContainEqual(
			expect.objectContaining({ mode: 'build', asks: true, cwd }),
		)
		await session.send('WAIT')
		await session.terminal.until('thinking about it')
		await session.interrupt()
		await session.said('thinking about it')
		const prompts = session.events().flatMap((e) => (e.kind === 'user_prompt' ? [e.body] : []))
		expect(prompts).toEqual([
			{ text: 'ASK it', source: 'agent' },
			{ text: 'WAIT', source: 'viewer' },
		])
		await expect(session.setMode('plan')).rejects.toThrowError('agent_cannot')

		await session.terminal.until('ctrl+p commands')
		await session.press('\u0003')
		expect(await session.terminal.exited).toBe(0)
		expect(session.ended).toMatchObject({ code: 0, signal: null })
		expect(session.terminal.modes).toEqual({ alternate: false, cursor: true, paste: false })
		expect(readdirSync(join(folder, 'tmp'))).not.toContainEqual(expect.stringMatching(/^styrby/))
	},
	limit,
)

test(
	'the host is killed while a request waits: nothing is allowed, and nothing goes on',
	async () => {
		await session.prompt('REMOVE it')
		await session.request(/Permission required/)
		const before = await agents()
		expect(before.map(({ command }) => /serve|attach/.exec(command)?.[0]).sort()).toEqual([
			'attach',
			'serve',
		])
		session.terminal.kill('SIGKILL')
		await session.until(() => before.every(({ pid }) => !isAlive(pid)))
		expect(existsSync(join(cwd, 'build'))).toBe(true)
		await session.until(
			() => !readdirSync(join(folder, 'tmp')).some((name) => name.startsWith('styrby')),
		)
	},
	limit,
)
