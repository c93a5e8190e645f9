import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { AgentAnswer, AgentOutput } from '../../../source/agents/agent.ts'
import { findAgent } from '../../tools/agents.ts'
import { codexEnvironment, codexProcesses, seedCodexHome } from '../../tools/codex-home.ts'
import { codexScript } from '../../tools/scripted-codex.ts'
import { type ScriptedOpenai, startScriptedOpenai } from '../../tools/scripted-openai.ts'
import { Terminal } from '../../tools/terminal.ts'

type Told =
	| AgentOutput
	| { type: 'answered'; id: string; taken: boolean }
	| { type: 'ended'; code: number | null; signal: string | null }

let program = ''
let folder = ''
let cwd = ''
let api: ScriptedOpenai

beforeAll(async () => {
	program = await findAgent('codex')
}, 300_000)

beforeEach(async () => {
	folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-test-')))
	cwd = join(folder, 'project')
	await mkdir(join(cwd, 'build'), { recursive: true })
	await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	api = await startScriptedOpenai({ script: codexScript, vars: { cwd } })
	await seedCodexHome(join(folder, 'home'), { apiUrl: api.url, projects: [cwd] })
})

afterEach(async () => {
	await api.close()
	await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
})

/** The agent on an emulated screen, with the adapter between. */
class NativeRun implements AsyncDisposable {
	readonly told: Told[] = []
	readonly terminal: Terminal
	readonly #server: Server
	#socket: Socket | null = null

	private constructor(server: Server, terminal: Terminal) {
		this.#server = server
		this.terminal = terminal
		server.on('connection', (socket) => {
			this.#socket = socket
			socket.on('error', () => socket.destroy())
			const lines = createInterface({ input: socket })
			// The reset of a host that was killed comes here, too.
			lines.on('error', () => lines.close())
			lines.on('line', (line) => this.told.push(JSON.parse(line)))
		})
	}

	static async start(args: readonly string[] = []): Promise<NativeRun> {
		const server = createServer()
		const path = join(folder, `socket-${Math.trunc(performance.now())}`)
		await new Promise<void>((resolve) => server.listen(path, resolve))
		const env = codexEnvironment(join(folder, 'home'))
		env.PATH = `${dirname(program)}${delimiter}${env.PATH}`
		env.STYRBY_HOME = 'must not be inherited'
		const script = join(import.meta.dirname, '../../tools/native-codex.ts')
		const terminal = new Terminal({
			command: process.execPath,
			args: [script, path, ...args],
			env,
			cwd,
			columns: 100,
			rows: 34,
		})
		const run = new NativeRun(server, terminal)
		await terminal.until('Ask Codex to do anything')
		await run.until(() => run.told.some(({ type }) => type === 'about'))
		return run
	}

	async type(text: string): Promise<void> {
		await this.terminal.press(text)
		await this.terminal.until(text)
		await this.terminal.press('\r')
	}

	order(what: unknown): void {
		this.#socket?.write(`${JSON.stringify(what)}\n`)
	}

	answer(id: string, answer: AgentAnswer): void {
		this.order({ type: 'answer', id, answer })
	}

	async until(done: () => boolean): Promise<void> {
		const end = performance.now() + 60_000
		while (!done()) {
			if (performance.now() > end) {
				const told = JSON.stringify(this.told, null, 1).slice(-4000)
				throw new Error(`Waited too long.\n${this.terminal.text()}\n${told}`)
			}
			await new Promise((resolve) => setTimeout(resolve, 20))
		}
	}

	/** The n-th request, once it is asked. */
	async request(n = 0): Promise<Extract<AgentOutput, { type: 'request' }>> {
		const all = () => this.told.flatMap((told) => (told.type === 'request' ? [told] : []))
		await this.until(() => all().length > n)
		const [request] = all().slice(n)
		if (request === undefined) throw new Error('No such request')
		return request
	}

	async idle(): Promise<void> {
		const running = () =>
			this.told.findLastIndex((t) => t.type === 'status' && t.status === 'running')
		const idle = () => this.told.findLastIndex((t) => t.type === 'status' && t.status === 'idle')
		await this.until(() => running() >= 0 && idle() > running())
	}

	get events() {
		return this.told.flatMap((told) => (told.type === 'event' ? [told.event] : []))
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.terminal[Symbol.asyncDispose]()
		this.#socket?.destroy()
		this.#server.close()
	}
}

const allow: AgentAnswer = { decision: 'allow', scope: 'once' }
const prompt = 'Would you like to run the following command'

test('text only: what is on the screen is told, as it is written and whole', async () => {
	await using run = await NativeRun.start()
	await run.type('TEXT please')
	await run.idle()
	await run.terminal.until('Good day to you')
	expect(run.events).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'TEXT please', source: 'agent' },
	})
	const said = run.events.flatMap((e) => (e.kind === 'agent_response' ? [e.body.text] : []))
	expect(said).toEqual(['Good day to you, and to all who read along.'])
	expect(run.told.some(({ type }) => type === 'text')).toBe(true)
	const usage = run.events.flatMap((e) => (e.kind === 'usage' ? [e.body] : []))
	expect(usage).toMatchObject([{ input: 1034, cache_read: 200, output: 56 }])
	expect(run.told).toContainEqual(
		expect.objectContaining({ type: 'about', cwd, version: '0.169.0', asks: true }),
	)
})

test('allowed from elsewhere: it runs, and the prompt leaves the screen', async () => {
	await using run = await NativeRun.start()
	await run.type('RUN it')
	const { id, ask } = await run.request()
	await run.terminal.until(prompt)
	expect(ask).toMatchObject({
		tool: 'exec_command',
		input: { command: ['/bin/bash', '-lc', 'touch made.txt; echo done'] },
	})
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
	run.answer(id, allow)
	await run.idle()
	expect(run.told).toContainEqual({ type: 'answered', id, taken: true })
	expect(run.told).toContainEqual({ type: 'applied', id })
	expect(existsSync(join(cwd, 'made.txt'))).toBe(true)
	await run.terminal.until((text) => !text.includes(prompt) && text.includes('made'))
})

test('denied from elsewhere: nothing runs, and the model reads the reason', async () => {
	await using run = await NativeRun.start()
	await run.type('REMOVE it')
	const { id } = await run.request()
	await run.terminal.until(prompt)
	run.answer(id, { decision: 'deny', reason: 'keep the build' })
	await run.idle()
	expect(run.told).toContainEqual({ type: 'applied', id })
	expect(existsSync(join(cwd, 'build'))).toBe(true)
	const heard = api.requests.map(({ body }) => JSON.stringify(body))
	expect(heard.some((body) => /rejected by user.*keep the build/.test(body))).toBe(true)
	await run.terminal.until((text) => !text.includes(prompt))
})

test('answered on the screen: withdrawn elsewhere, where an answer comes too late', async () => {
	await using run = await NativeRun.start()
	await run.type('TWO')
	const first = await run.request(0)
	await run.terminal.until(prompt)
	await run.terminal.press('y')
	await run.until(() => run.told.some((t) => t.type === 'withdrawn'))
	expect(run.told).toContainEqual({ type: 'withdrawn', id: first.id, result: 'approved' })
	run.answer(first.id, { decision: 'deny', reason: 'too late' })
	await run.until(() => run.told.some((t) => t.type === 'answered'))
	expect(run.told).toContainEqual({ type: 'answered', id: first.id, taken: false })
	const second = await run.request(1)
	expect(second.id).not.toBe(first.id)
	run.answer(second.id, allow)
	await run.idle()
	expect(existsSync(join(cwd, 'one.txt'))).toBe(true)
	expect(existsSync(join(cwd, 'two.txt'))).toBe(true)
})

test('denied on the screen: withdrawn as denied, and nothing runs', async () => {
	await using run = await NativeRun.start()
	await run.type('RUN it')
	const { id } = await run.request()
	await run.terminal.until(prompt)
	await run.terminal.press('\u001B')
	await run.until(() => run.told.some((t) => t.type === 'withdrawn'))
	expect(run.told).toContainEqual({ type: 'withdrawn', id, result: 'denied' })
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test('an edit is shown with its diff on both sides', async () => {
	await using run = await NativeRun.start(['--sandbox', 'read-only'])
	await run.type('EDIT it')
	const { id, ask } = await run.request()
	await run.terminal.until('good day')
	expect(ask.changes[0]?.hunks[0]?.lines).toContain('+  return "good day"')
	expect(await readFile(join(cwd, 'greet.js'), 'utf8')).toContain('hello')
	run.answer(id, allow)
	await run.idle()
	expect(await readFile(join(cwd, 'greet.js'), 'utf8')).toContain('good day')
})

test('a prompt and an interrupt from elsewhere reach the interface', async () => {
	await using run = await NativeRun.start()
	run.order({ type: 'prompt', text: 'TEXT from afar' })
	await run.idle()
	await run.terminal.until('TEXT from afar')
	expect(run.events).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'TEXT from afar', source: 'viewer' },
	})
	run.order({ type: 'prompt', text: 'WAIT for me' })
	await run.terminal.until('thinking about it')
	run.order({ type: 'interrupt' })
	await run.until(() =>
		run.events.some((e) => e.kind === 'system' && e.body.type === 'interrupted'),
	)
})

test('put in another mode from elsewhere: both sides say so, and it asks for edits', async () => {
	await using run = await NativeRun.start()
	run.order({ type: 'mode', mode: 'read-only' })
	await run.until(() => run.told.some((t) => t.type === 'about' && t.mode === 'read-only'))
	await run.type('EDIT it')
	const { id, ask } = await run.request()
	expect(ask.tool).toBe('apply_patch')
	run.answer(id, { decision: 'deny', reason: 'leave it' })
	await run.idle()
	expect(await readFile(join(cwd, 'greet.js'), 'utf8')).toContain('hello')
})

test('a question is answered from elsewhere, and leaves the screen', async () => {
	await using run = await NativeRun.start()
	await run.type('ASK me')
	const { id, ask } = await run.request()
	await run.terminal.until('Which database?')
	expect(ask.questions).toMatchObject([{ question: 'Which database?' }])
	run.answer(id, {
		decision: 'allow',
		scope: 'once',
		input: { answers: { 'Which database?': 'SQLite' } },
	})
	await run.idle()
	await run.terminal.until((text) => text.includes('thanks'))
	expect(api.requests.some(({ body }) => JSON.stringify(body).includes('SQLite\\"'))).toBe(true)
})

test('the app-server is killed while a request waits: withdrawn, and the interface goes on', async () => {
	await using run = await NativeRun.start()
	await run.type('RUN it')
	const { id } = await run.request()
	const all = await codexProcesses(join(folder, 'home'))
	for (const { pid, args } of all) if (args.includes('app-server')) process.kill(pid, 'SIGKILL')
	await run.idle()
	expect(run.told).toContainEqual({ type: 'withdrawn', id, result: 'cancelled' })
	run.answer(id, allow)
	await run.until(() => run.told.some((t) => t.type === 'answered'))
	expect(run.told).toContainEqual({ type: 'answered', id, taken: false })
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
	await run.terminal.until('Conversation interrupted')
	await run.type('TEXT please')
	await run.terminal.until('Good day to you')
	await run.idle()
})

test('an error of the model is told', async () => {
	await using run = await NativeRun.start()
	await run.type('FAIL now')
	await run.idle()
	const errors = run.events.flatMap((e) => (e.kind === 'error' ? [e.body.text] : []))
	expect(errors).toEqual(['no such thing'])
})

test('the host is killed while a request waits: the agent ends, and nothing was approved', async () => {
	await using run = await NativeRun.start()
	await run.type('RUN it')
	await run.request()
	await run.terminal.until(prompt)
	process.kill(run.terminal.pid, 'SIGKILL')
	await run.terminal.exited
	await gone(run.terminal.pid)
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
})

test('ended and resumed: the same session goes on', async () => {
	let id = ''
	{
		await using run = await NativeRun.start()
		await run.type('TEXT please')
		await run.idle()
		for (const told of run.told) if (told.type === 'about') id = told.session ?? id
		run.order({ type: 'stop' })
		await run.until(() => run.told.some((t) => t.type === 'ended'))
	}
	await using again = await NativeRun.start(['resume', id])
	await again.terminal.until('Good day to you')
	expect(again.told).toContainEqual(expect.objectContaining({ type: 'about', session: id }))
	await again.type('RUN it')
	again.answer((await again.request()).id, allow)
	await again.idle()
	const usage = again.events.flatMap((e) => (e.kind === 'usage' ? [e.body.input] : []))
	expect(usage).toEqual([800, 100])
})

/** Waits until no process has the session's folder for its home. */
async function gone(host: number): Promise<void> {
	const end = performance.now() + 30_000
	for (;;) {
		const all = await codexProcesses(join(folder, 'home'))
		const left = all.filter(({ pid }) => pid !== host)
		if (left.length === 0) return
		if (performance.now() > end) throw new Error(`Still there: ${JSON.stringify(left)}`)
		await new Promise((resolve) => setTimeout(resolve, 50))
	}
}
