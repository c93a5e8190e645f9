/** One run of an agent for tests, without its interface (in this process) or in it (in a pseudo-terminal). */
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
	AgentAdapter,
	AgentAnswer,
	AgentOutput,
	RunningAgent,
} from '../../source/agents/agent.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { events, typed } from './outputs.ts'
import { childProcesses } from './processes.ts'
import { Terminal } from './terminal.ts'

export interface Ended {
	type: 'ended'
	code: number | null
	signal: string | null
}

/** What was told so far, and how to tell it something. */
export abstract class AgentSession implements AsyncDisposable {
	readonly outputs: AgentOutput[] = []
	ended: Ended | null = null

	/** Hands an answer over; whether it was taken. */
	abstract answer(id: string, answer: AgentAnswer): Promise<boolean>
	/** The agent's next prompt, typed where it runs or sent from elsewhere. */
	abstract prompt(text: string): Promise<void>
	abstract interrupt(): Promise<void>
	abstract stop(): Promise<void>
	/** The process that the adapter runs in. */
	protected abstract readonly host: number
	protected abstract about(): string
	abstract [Symbol.asyncDispose](): Promise<void>

	async until<T>(look: () => T | null | undefined | false, ms = 90_000): Promise<T> {
		const end = performance.now() + ms
		for (;;) {
			const found = look()
			if (found) return found
			if (performance.now() > end) {
				throw new Error(
					`Not in time; told:\n${JSON.stringify(this.outputs, null, 1)}\n${this.about()}`,
				)
			}
			await sleep(20)
		}
	}

	of<T extends AgentOutput['type']>(type: T): Extract<AgentOutput, { type: T }>[] {
		return typed(this.outputs, type)
	}

	events(): SessionEvent[] {
		return events(this.outputs)
	}

	/** Waits until the agent has said this, as a whole. */
	async said(text: string): Promise<void> {
		await this.until(() =>
			this.events().some((e) => e.kind === 'agent_response' && e.body.text === text),
		)
	}

	/** Kills the agent's process, as `kill -9` does. */
	async kill(command: RegExp): Promise<void> {
		const children = await childProcesses(this.host)
		const found = children.filter((child) => command.test(child.command))
		if (found.length === 0) throw new Error(`No agent among ${JSON.stringify(children)}`)
		for (const { pid } of found) process.kill(pid, 'SIGKILL')
	}
}

export interface SessionStart {
	adapter: AgentAdapter
	cwd: string
	env: NodeJS.ProcessEnv
	args: readonly string[]
	/** Of the terminal, where it is in one. */
	columns?: number
}

export class HeadlessSession extends AgentSession {
	readonly host = process.pid
	readonly #agent: RunningAgent
	readonly #reading: Promise<void>

	private constructor(agent: RunningAgent) {
		super()
		this.#agent = agent
		this.#reading = (async () => {
			for await (const output of agent.output) this.outputs.push(output)
			const { code, signal } = await agent.ended
			this.ended = { type: 'ended', code, signal }
		})()
	}

	static async start(
		{ adapter, cwd, env, args }: SessionStart,
		prompt: string,
		stay: boolean,
	): Promise<HeadlessSession> {
		const options = { cwd, env, args, headless: prompt, stay, requestTimeoutMs: 120_000 }
		return new HeadlessSession(await adapter.start(options))
	}

	answer(id: string, answer: AgentAnswer): Promise<boolean> {
		return this.#agent.answer(id, answer)
	}

	prompt(text: string): Promise<void> {
		return this.#agent.prompt(text)
	}

	setMode(mode: string): Promise<void> {
		return this.#agent.setMode(mode)
	}

	interrupt(): Promise<void> {
		return this.#agent.interrupt()
	}

	stop(): Promise<void> {
		return this.#agent.stop()
	}

	protected about(): string {
		return JSON.stringify(this.ended)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#agent.stop()
		await this.#reading
	}
}

type Told = AgentOutput | { type: 'done'; order: number; taken: boolean; error?: string } | Ended

export class NativeSession extends AgentSession {
	readonly terminal: Terminal
	readonly #server: Server
	readonly #done = new Map<number, { taken: boolean; error?: string }>()
	#socket: Socket | null = null
	#orders = 0

	private constructor(server: Server, terminal: Terminal) {
		super()
		this.#server = server
		this.terminal = terminal
		server.on('connection', (socket) => {
			this.#socket = socket
			// The host is killed in a test.
			socket.on('error', () => socket.destroy())
			createInterface({ input: socket }).on('line', (line) => this.#take(JSON.parse(line)))
		})
	}

	#take(told: Told): void {
		if (told.type === 'done') this.#done.set(told.order, told)
		else if (told.type === 'ended') this.ended = told
		else this.outputs.push(told)
	}

	/** `folder`: for the socket, over which the other process tells and is told. */
	static async start(
		{ adapter, cwd, env, args, columns = 100 }: SessionStart,
		folder: string,
		ready: string | RegExp,
	): Promise<NativeSession> {
		const server = createServer()
		const path = join(folder, `socket-${++sockets}`)
		await new Promise<void>((resolve) => server.listen(path, resolve))
		const terminal = new Terminal({
			command: process.execPath,
			args: [join(import.meta.dirname, 'native-agent.ts'), adapter.name, path, ...args],
			env: { ...env, STYRBY_HOME: 'must not be inherited' },
			columns,
			rows: 40,
			cwd,
		})
		const session = new NativeSession(server, terminal)
		try {
			await terminal.until(ready, 120_000)
			return session
		} catch (error) {
			await session[Symbol.asyncDispose]()
			throw error
		}
	}

	get host(): number {
		return this.terminal.pid
	}

	/** Types a prompt, once the interface shows it as typed. */
	async prompt(text: string): Promise<void> {
		await this.terminal.type(text)
		await this.terminal.until(text)
		const before = this.outputs.length
		// What is pressed right after typing can be taken for a part of that: then nothing comes of it.
		for (let tries = 0; tries < 3 && this.outputs.length === before; tries++) {
			await this.terminal.press('\r')
			for (let n = 0; n < 50 && this.outputs.length === before; n++) await sleep(100)
		}
	}

	/** Presses keys, once what they are for can take them: not in the first moment of what is asked. */
	async press(...keys: readonly string[]): Promise<void> {
		// Some screens move all the time.
		await Promise.race([this.terminal.settled(700), sleep(2000)])
		await this.terminal.press(...keys)
	}

	/** The n-th request (from 1), once it is there and on the screen. */
	async request(screen: RegExp, n = 1) {
		const found = await this.until(() => this.of('request')[n - 1])
		await this.terminal.until(screen)
		return found
	}

	/** Sends a prompt from elsewhere. */
	async send(text: string): Promise<void> {
		await this.#obeyed({ do: 'prompt', text })
	}

	async setMode(mode: string): Promise<void> {
		await this.#obeyed({ do: 'mode', mode })
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		return this.#order({ do: 'answer', id, answer })
	}

	async interrupt(): Promise<void> {
		await this.#obeyed({ do: 'interrupt' })
	}

	async stop(): Promise<void> {
		await this.#order({ do: 'stop' })
	}

	async #obeyed(order: object): Promise<void> {
		if (!(await this.#order(order))) throw new Error('The agent ended before it obeyed')
	}

	/** Throws what the adapter threw, as its code. */
	async #order(order: object): Promise<boolean> {
		const number = ++this.#orders
		await this.until(() => this.#socket)
		this.#socket?.write(`${JSON.stringify({ ...order, order: number })}\n`)
		// A stopped agent may have ended before its answer came.
		await this.until(() => this.#done.has(number) || this.ended)
		const { taken, error } = this.#done.get(number) ?? { taken: false }
		if (error !== undefined) throw new Error(error)
		return taken
	}

	protected about(): string {
		return this.terminal.text()
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.terminal[Symbol.asyncDispose]()
		this.#socket?.destroy()
		await new Promise((resolve) => this.#server.close(resolve))
	}
}

let sockets = 0
