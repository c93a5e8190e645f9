import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type IPty, spawn } from '@lydell/node-pty'
import xterm from '@xterm/headless'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { AgentAnswer, AgentOutput } from '../../../source/agents/agent.ts'
import { claudeEnvironment, findAgent, seedClaudeHome } from '../../tools/agents.ts'
import { type ScriptedAnthropic, startScriptedAnthropic } from '../../tools/scripted-anthropic.mjs'

type Told =
	| AgentOutput
	| { type: 'answered'; id: string; taken: boolean }
	| { type: 'ended'; code: number | null; signal: string | null }

let program = ''
let folder = ''
let cwd = ''
let home = ''
let api: ScriptedAnthropic
let session: NativeRun

beforeAll(async () => {
	program = await findAgent('claude')
}, 300_000)

beforeEach(async () => {
	folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-test-')))
	cwd = join(folder, 'project')
	home = join(folder, 'home')
	await mkdir(join(cwd, 'build'), { recursive: true })
	await mkdir(join(folder, 'tmp'))
	await seedClaudeHome(home, [cwd])
	const bash = (command: string) => ({ tool: 'Bash', input: { command, description: 'A command' } })
	api = await startScriptedAnthropic({
		script: {
			rules: [
				{
					match: '(?:^|\\n)RUN',
					turns: [
						[{ text: 'One line.\n\nAnd one more.' }, bash('touch made.txt')],
						[{ text: 'made' }],
					],
				},
				{ match: '^REMOVE', turns: [[bash('rm -rf build')], [{ text: 'left alone' }]] },
				{
					match: '^SLOW',
					turns: [[bash('touch begun.txt && sleep 4')], [{ text: 'slept' }]],
				},
				{
					match: '^TWICE',
					turns: [[bash('touch one.txt')], [bash('touch two.txt')], [{ text: 'both' }]],
				},
			],
			fallback: 'fine',
		},
	})
	session = await NativeRun.start()
})

afterEach(async () => {
	await session.close()
	await api.close()
	await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** The agent in a pseudo-terminal, with the adapter between. */
class NativeRun {
	readonly told: Told[] = []
	readonly #server: Server
	readonly #terminal: IPty
	#socket: Socket | null = null
	readonly #screen = new xterm.Terminal({ cols: 100, rows: 30, allowProposedApi: true })
	exited = false

	private constructor(server: Server, terminal: IPty) {
		this.#server = server
		this.#terminal = terminal
		terminal.onData((text) => {
			this.#screen.write(text)
		})
		terminal.onExit(() => {
			this.exited = true
		})
		server.on('connection', (socket) => {
			this.#socket = socket
			createInterface({ input: socket }).on('line', (line) => this.told.push(JSON.parse(line)))
		})
	}

	static async start(args: string[] = []): Promise<NativeRun> {
		const server = createServer()
		const path = join(folder, 'socket')
		await new Promise<void>((resolve) => server.listen(path, resolve))
		const env = claudeEnvironment(home, api.url)
		env.PATH = `${dirname(program)}${delimiter}${env.PATH}`
		env.TMPDIR = join(folder, 'tmp')
		env.STYRBY_HOME = 'must not be inherited'
		const script = join(import.meta.dirname, '../../tools/native-agent.ts')
		const terminal = spawn(process.execPath, [script, path, ...args], {
			cwd,
			env,
			cols: 100,
			rows: 30,
		})
		const run = new NativeRun(server, terminal)
		await run.until(() => /\? for shortcuts|Try "|manual mode/.test(run.screen))
		return run
	}

	/** What is on the screen, and what has scrolled off it. */
	get screen(): string {
		const { active } = this.#screen.buffer
		return Array.from({ length: active.length }, (_, row) =>
			(active.getLine(row)?.translateToString(true) ?? '').trimEnd(),
		).join('\n')
	}

	async until(done: () => unknown, ms = 20_000): Promise<void> {
		const end = Date.now() + ms
		while (!done()) {
			if (Date.now() > end) {
				throw new Error(`Not in time; told:\n${JSON.stringify(this.told, null, 1)}\n${this.screen}`)
			}
			await new Promise((resolve) => setTimeout(resolve, 20))
		}
	}

	async type(text: string): Promise<void> {
		this.#terminal.write(text)
		await new Promise((resolve) => setTimeout(resolve, 300))
	}

	async prompt(text: string): Promise<void> {
		await this.type(text)
		await this.type('\r')
	}

	of<T extends Told['type']>(type: T): Extract<Told, { type: T }>[] {
		return this.told.filter((one): one is Extract<Told, { type: T }> => one.type === type)
	}

	events() {
		return this.of('event').map(({ event }) => event)
	}

	/** The n-th request (from 1), once it is there and its prompt is on the screen. */
	async request(n = 1) {
		await this.until(() => this.of('request').length >= n)
		await this.until(() => /Do you want/.test(this.screen))
		// The agent takes no key in the first moment of a prompt.
		await new Promise((resolve) => setTimeout(resolve, 700))
		const request = this.of('request')[n - 1]
		if (request === undefined) throw new Error('No request')
		return request
	}

	answer(id: string, answer: AgentAnswer): void {
		this.#socket?.write(`${JSON.stringify({ id, answer })}\n`)
	}

	async said(text: string): Promise<void> {
		await this.until(() =>
			this.events().some((e) => e.kind === 'agent_response' && e.body.text === text),
		)
	}

	hangUp(): void {
		this.#terminal.kill('SIGKILL')
	}

	async close(): Promise<void> {
		if (!this.exited) {
			this.#socket?.write('stop\n')
			await this.until(() => this.exited, 15_000)
		}
		this.#socket?.destroy()
		this.#server.close()
	}
}

test('allowed from elsewhere: the prompt goes away and the command runs', async () => {
	await session.prompt('RUN it')
	const { id, ask } = await session.request()
	expect(ask).toMatchObject({
		tool: 'Bash',
		input: { command: 'touch made.txt' },
		cwd,
		questions: null,
	})
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
	session.answer(id, { decision: 'allow', scope: 'once' })
	await session.said('made')
	await session.until(() => session.of('status').at(-1)?.status === 'idle')
	expect(existsSync(join(cwd, 'made.txt'))).toBe(true)
	expect(session.of('answered')).toEqual([{ type: 'answered', id, taken: true }])
	expect(session.of('applied')).toEqual([{ type: 'applied', id }])
	expect(session.of('withdrawn')).toEqual([])
	await session.until(() => session.screen.includes('Allowed by PermissionRequest hook'))

	const events = session.events()
	expect(events[0]).toEqual({ kind: 'user_prompt', body: { text: 'RUN it', source: 'agent' } })
	const call = events.find(({ kind }) => kind === 'tool_use')
	expect(call?.body).toMatchObject({ tool_use: ask.tool_use })
	const result = events.find(({ kind }) => kind === 'tool_result')
	expect(result?.body).toMatchObject({ tool_use: ask.tool_use, ok: true, exit_code: 0 })
	expect(events.filter(({ kind }) => kind === 'usage')).toHaveLength(2)
	expect(session.of('about').map(({ asks }) => asks)).toContain(true)

	const [text] = session.of('text')
	const block = events.find(({ kind }) => kind === 'agent_response')
	expect(block?.body).toMatchObject({ block: text?.block, text: 'One line.\n\nAnd one more.' })
})

test('denied from elsewhere: the agent gets the reason', async () => {
	await session.prompt('REMOVE it')
	const { id } = await session.request()
	session.answer(id, { decision: 'deny', reason: 'keep the build' })
	await session.said('left alone')
	await session.until(() => session.of('applied').length === 1)
	expect(existsSync(join(cwd, 'build'))).toBe(true)
	const result = session.events().find(({ kind }) => kind === 'tool_result')
	expect(result?.body).toMatchObject({ ok: false, text: 'keep the build' })
	expect(session.screen).toContain('keep the build')
})

test('answered with yes on the screen: withdrawn at once, and an answer is too late', async () => {
	await session.prompt('SLOW')
	const { id } = await session.request()
	await session.type('\r')
	// While the command still runs.
	await session.until(() => session.of('withdrawn').length === 1, 3000)
	expect(session.of('withdrawn')).toEqual([{ type: 'withdrawn', id, result: 'approved' }])
	session.answer(id, { decision: 'deny', reason: 'too late' })
	await session.until(() => session.of('answered').length === 1)
	expect(session.of('answered')[0]?.taken).toBe(false)
	await session.said('slept')
	expect(existsSync(join(cwd, 'begun.txt'))).toBe(true)
})

test('answered with no on the screen: withdrawn, the turn is over', async () => {
	await session.prompt('REMOVE it')
	const { id } = await session.request()
	await session.type('\u001b')
	await session.until(() => session.of('withdrawn').length === 1)
	expect(session.of('withdrawn')).toEqual([{ type: 'withdrawn', id, result: 'denied' }])
	await session.until(() => session.of('status').at(-1)?.status === 'idle')
	expect(session.events().at(-1)?.body).toMatchObject({ type: 'interrupted' })
	expect(existsSync(join(cwd, 'build'))).toBe(true)
})

test('one answered on the screen, the next from elsewhere: each gets its own answer', async () => {
	await session.prompt('TWICE')
	const first = await session.request(1)
	await session.type('\r')
	await session.until(() => session.of('withdrawn').length === 1)
	const second = await session.request(2)
	expect(second.id).not.toBe(first.id)
	session.answer(second.id, { decision: 'deny', reason: 'one will do' })
	await session.said('both')
	expect(existsSync(join(cwd, 'one.txt'))).toBe(true)
	expect(existsSync(join(cwd, 'two.txt'))).toBe(false)
})

test('applied is said when a long command has run', async () => {
	await session.prompt('SLOW')
	const { id } = await session.request()
	session.answer(id, { decision: 'allow', scope: 'once' })
	await session.until(() => session.of('applied').length === 1)
	await session.said('slept')
	expect(session.of('applied')).toEqual([{ type: 'applied', id }])
	expect(session.of('withdrawn')).toEqual([])
})

test('allowed for the session: the same is not asked again', async () => {
	await session.prompt('SLOW')
	const { id, ask } = await session.request()
	session.answer(id, { decision: 'allow', scope: 'session' })
	await session.said('slept')
	await session.until(() => session.of('status').at(-1)?.status === 'idle')
	if (ask.session_rules.length === 0) return
	await session.prompt('SLOW')
	await session.until(
		() => session.events().filter(({ kind }) => kind === 'tool_result').length === 2,
	)
	expect(session.of('request')).toHaveLength(1)
})

test('nothing of ours is left, and nothing of ours is inherited', async () => {
	const settings = async () =>
		(await readdir(join(folder, 'tmp'))).filter((name) => name.startsWith('styrby-'))
	expect(await settings()).toHaveLength(1)
	await session.prompt('/exit')
	await session.until(() => session.exited)
	expect(session.of('ended')).toMatchObject([{ code: 0, signal: null }])
	expect(await settings()).toEqual([])
	expect(existsSync(join(home, '.claude', 'settings.json'))).toBe(false)
	expect(existsSync(join(cwd, '.claude'))).toBe(false)
})

test('a new conversation in the same interface is followed', async () => {
	await session.prompt('HELLO')
	await session.said('fine')
	await session.prompt('/clear')
	await session.prompt('RUN it')
	const { id } = await session.request()
	session.answer(id, { decision: 'allow', scope: 'once' })
	await session.said('made')
	const sessions = session.of('about').flatMap((about) => about.session ?? [])
	expect(new Set(sessions).size).toBe(2)
})
