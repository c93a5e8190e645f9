import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { AgentAnswer, AgentOutput } from '../../../source/agents/agent.ts'
import { findAgent } from '../../tools/agents.ts'
import { opencodeEnvironment, seedOpencodeHome } from '../../tools/opencode.ts'
import { opencodeScript } from '../../tools/opencode-script.ts'
import { childProcesses } from '../../tools/processes.ts'
import {
	type ScriptedOpenaiChat,
	startScriptedOpenaiChat,
} from '../../tools/scripted-openai-chat.ts'
import { Terminal } from '../../tools/terminal.ts'

type Told =
	| AgentOutput
	| { type: 'answered'; id: string; taken: boolean }
	| { type: 'ended'; code: number | null; signal: string | null }

const limit = 240_000
const allow: AgentAnswer = { decision: 'allow', scope: 'once' }

let program = ''
let folder = ''
let cwd = ''
let api: ScriptedOpenaiChat
let session: NativeRun

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
	session = await NativeRun.start()
}, limit)

afterEach(async () => {
	await session.close()
	await api[Symbol.asyncDispose]()
	await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}, limit)

/** OpenCode in a pseudo-terminal, with the adapter between. */
class NativeRun {
	readonly told: Told[] = []
	readonly terminal: Terminal
	readonly #server: Server
	#socket: Socket | null = null

	private constructor(server: Server, terminal: Terminal) {
		this.#server = server
		this.terminal = terminal
		server.on('connection', (socket) => {
			this.#socket = socket
			// The host is killed in a test.
			socket.on('error', () => socket.destroy())
			createInterface({ input: socket }).on('line', (line) => this.told.push(JSON.parse(line)))
		})
	}

	static async start(args: string[] = []): Promise<NativeRun> {
		const server = createServer()
		const path = join(folder, 'socket')
		await new Promise<void>((resolve) => server.listen(path, resolve))
		const terminal = new Terminal({
			command: process.execPath,
			args: [join(import.meta.dirname, '../../tools/native-opencode.ts'), path, ...args],
			env: {
				...opencodeEnvironment(join(folder, 'home'), program),
				TMPDIR: join(folder, 'tmp'),
				STYRBY_HOME: 'must not be inherited',
			},
			columns: 100,
			rows: 40,
			cwd,
		})
		const run = new NativeRun(server, terminal)
		await terminal.until('Ask anything', limit)
		return run
	}

	async until(done: () => unknown): Promise<void> {
		const end = performance.now() + 120_000
		while (!done()) {
			if (performance.now() > end) {
				const told = JSON.stringify(this.told, null, 1)
				throw new Error(`Not in time; told:\n${told}\n${this.terminal.text()}`)
			}
			await sleep(20)
		}
	}

	/** Types a prompt, once the interface shows it as typed. */
	async prompt(text: string): Promise<void> {
		await this.terminal.type(text)
		await this.terminal.until(text)
		await this.terminal.press('\r')
	}

	of<T extends Told['type']>(type: T): Extract<Told, { type: T }>[] {
		return this.told.filter((one): one is Extract<Told, { type: T }> => one.type === type)
	}

	events() {
		return this.of('event').map(({ event }) => event)
	}

	/** The n-th request (from 1), once it is there and on the screen. */
	async request(n: number, screen: string | RegExp = 'Permission required') {
		await this.until(() => this.of('request').length >= n)
		await this.terminal.until(screen)
		const request = this.of('request')[n - 1]
		if (request === undefined) throw new Error('No request')
		return request
	}

	order(order: unknown): void {
		this.#socket?.write(`${JSON.stringify(order)}\n`)
	}

	answer(id: string, answer: AgentAnswer): void {
		this.order({ do: 'answer', id, answer })
	}

	async said(text: string): Promise<void> {
		await this.until(() =>
			this.events().some((e) => e.kind === 'agent_response' && e.body.text === text),
		)
	}

	async close(): Promise<void> {
		await this.terminal[Symbol.asyncDispose]()
		this.#socket?.destroy()
		await new Promise((resolve) => this.#server.close(resolve))
	}
}

/** The server, and the interface that is attached to it. */
async function agents() {
	const children = await childProcesses(session.terminal.pid)
	return children.filter(({ command }) => command.startsWith(program))
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0)
		return true
	} catch {
		return false
	}
}

const gone = (text: string) => !text.includes('Permission required')

test(
	'answered from elsewhere: the prompt in the terminal goes, and what was decided is done',
	async () => {
		await session.prompt('RUN it')
		const first = await session.request(1)
		session.answer(first.id, allow)
		await session.said('made')
		await session.terminal.until(gone)
		expect(existsSync(join(cwd, 'made.txt'))).toBe(true)
		expect(session.of('applied')).toEqual([{ type: 'applied', id: first.id }])
		expect(session.of('about')).toContainEqual(
			expect.objectContaining({ mode: 'build', asks: true, cwd }),
		)

		await session.prompt('REMOVE it')
		const second = await session.request(2)
		session.answer(second.id, { decision: 'deny', reason: 'keep the build' })
		await session.said('left alone')
		await session.terminal.until(gone)
		expect(existsSync(join(cwd, 'build'))).toBe(true)
		expect(JSON.stringify(session.events())).toContain('keep the build')

		await session.prompt('ASK it')
		const third = await session.request(3, 'Which database?')
		const input = { answers: { 'Which database?': 'SQLite' } }
		session.answer(third.id, { decision: 'allow', scope: 'once', input })
		await session.said('thanks')

		expect(session.of('about').flatMap(({ takes }) => takes ?? [])).toEqual([
			{ prompt: false, interrupt: true, modes: [] },
			{ prompt: true, interrupt: true, modes: [] },
		])
		// A prompt and an interrupt from elsewhere reach it as well.
		session.order({ do: 'prompt', text: 'WAIT' })
		await session.terminal.until('thinking about it')
		session.order({ do: 'interrupt' })
		await session.said('thinking about it')
		const prompts = session.events().flatMap((e) => (e.kind === 'user_prompt' ? [e.body] : []))
		expect(prompts).toEqual([
			{ text: 'RUN it', source: 'agent' },
			{ text: 'REMOVE it', source: 'agent' },
			{ text: 'ASK it', source: 'agent' },
			{ text: 'WAIT', source: 'viewer' },
		])
		expect(session.of('withdrawn')).toEqual([])
	},
	limit,
)

test(
	'answered in the terminal: it is withdrawn elsewhere, an answer from there is late, and it ends',
	async () => {
		await session.prompt('TWO')
		const first = await session.request(1)
		// It takes no key in the first moment of a prompt.
		await session.terminal.settled()
		await session.terminal.press('\r')
		const second = await session.request(2, /touch two\.txt(?:.|\n)*Permission required/)
		await session.terminal.settled()
		expect(session.of('withdrawn')).toEqual([
			{ type: 'withdrawn', id: first.id, result: 'approved' },
		])
		expect(existsSync(join(cwd, 'one.txt'))).toBe(true)
		session.answer(first.id, { decision: 'deny', reason: 'late' })
		await session.until(() => session.of('answered').length > 0)
		expect(session.of('answered')).toEqual([{ type: 'answered', id: first.id, taken: false }])

		// To the third of its choices.
		await session.terminal.press('\u001B[C', '\u001B[C', '\r')
		await session.until(() => session.of('withdrawn').length > 1)
		expect(session.of('withdrawn')[1]).toEqual({
			type: 'withdrawn',
			id: second.id,
			result: 'denied',
		})
		expect(existsSync(join(cwd, 'two.txt'))).toBe(false)

		await session.terminal.until('ctrl+p commands')
		await session.terminal.press('\u0003')
		expect(await session.terminal.exited).toBe(0)
		expect(session.of('ended')).toMatchObject([{ code: 0, signal: null }])
		expect(session.terminal.modes).toEqual({ alternate: false, cursor: true, paste: false })
		expect(readdirSync(join(folder, 'tmp'))).not.toContainEqual(expect.stringMatching(/^styrby/))
	},
	limit,
)

test(
	'the host is killed while a request waits: nothing is allowed, and nothing goes on',
	async () => {
		await session.prompt('REMOVE it')
		await session.request(1)
		const before = await agents()
		expect(before.map(({ command }) => /serve|attach/.exec(command)?.[0]).sort()).toEqual([
			'attach',
			'serve',
		])
		session.terminal.kill('SIGKILL')
		await session.until(() => before.every(({ pid }) => !isRunning(pid)))
		expect(existsSync(join(cwd, 'build'))).toBe(true)
		await session.until(
			() => !readdirSync(join(folder, 'tmp')).some((name) => name.startsWith('styrby')),
		)
	},
	limit,
)

test(
	'the agent is killed while a request waits: it is cancelled, and the terminal is given back',
	async () => {
		await session.prompt('REMOVE it')
		const { id } = await session.request(1)
		const server = (await agents()).find(({ command }) => command.includes(' serve '))
		if (server === undefined) throw new Error('No server')
		process.kill(server.pid, 'SIGKILL')
		await session.until(() => session.of('ended').length > 0)
		expect(session.of('withdrawn')).toEqual([{ type: 'withdrawn', id, result: 'cancelled' }])
		expect(session.of('ended')).toMatchObject([{ code: null, signal: 'SIGKILL' }])
		expect(await session.terminal.exited).toBe(1)
		expect(session.terminal.modes).toEqual({ alternate: false, cursor: true, paste: false })
		expect(existsSync(join(cwd, 'build'))).toBe(true)
	},
	limit,
)
