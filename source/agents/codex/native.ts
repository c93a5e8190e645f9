/**
 * Codex in its own interface, in this terminal: the interface connects to a port of ours (`--remote`), and
 * we to the app-server. Should we fail, both end: nothing is approved by it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { AgentAnswer, AgentOutput, RunningAgent, StartOptions } from '../agent.ts'
import { cannot } from '../cannot.ts'
import { childEnvironment } from '../child-environment.ts'
import { type Ended, hasEnded, spawned, terminate, watchEnd } from '../child-process.ts'
import { endWithHost } from '../end-with-host.ts'
import { giveBackTerminal } from '../give-back-terminal.ts'
import { OutputQueue } from '../output-queue.ts'
import { AppServer } from './app-server.ts'
import { type NativeArguments, nativeArguments, serverArguments } from './arguments.ts'
import { Relay } from './relay.ts'
import { RemoteEndpoint } from './remote-endpoint.ts'
import { ThreadReader } from './thread-reader.ts'

const graceMs = 5000
/**
 * The interface takes its token from the environment only. What it is good for ends with the session, and
 * no tool of the agent's inherits it: those are started by the app-server.
 */
const tokenVariable = 'CODEX_INTERFACE_TOKEN'

/**
 * Starts the agent's own interface with this process's terminal. Throws `agent_failed`, or `agent_argument`
 * for arguments that open no session.
 */
export async function startNative(path: string, options: StartOptions): Promise<RunningAgent> {
	await using cleanup = new AsyncDisposableStack()
	const own = (url: string) => ['--remote', url, '--remote-auth-token-env', tokenVariable]
	// What is refused is refused before anything listens.
	const { overrides } = nativeArguments(options.args, [])
	const token = randomBytes(32).toString('base64url')
	const session = new NativeSession(path, options, overrides)
	const endpoint = cleanup.use(await RemoteEndpoint.start(token, session.connected))
	const child = spawn(path, nativeArguments(options.args, own(endpoint.url)).args, {
		cwd: options.cwd,
		env: { ...childEnvironment(options.env), [tokenVariable]: token },
		stdio: 'inherit',
	})
	const ended = watchEnd(child)
	await spawned(child, 'Codex')
	endWithHost(child)
	session.started(child, ended, cleanup.move())
	return session
}

class NativeSession implements RunningAgent {
	readonly name = 'codex'
	readonly ended: Promise<Ended>
	readonly #ended = Promise.withResolvers<Ended>()
	readonly #reader = new ThreadReader()
	readonly #queue = new OutputQueue<AgentOutput>()
	readonly #path: string
	readonly #options: StartOptions
	#overrides: NativeArguments['overrides']
	#relay: Relay | null = null
	#child: ChildProcess | null = null

	constructor(path: string, options: StartOptions, overrides: NativeArguments['overrides']) {
		this.#path = path
		this.#overrides = overrides
		this.#options = options
		this.ended = this.#ended.promise
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.#queue
	}

	/** The interface is there: an app-server of its own is started for it. */
	readonly connected = (socket: ConstructorParameters<typeof Relay>[0]): void => {
		const { cwd, env, args } = this.#options
		this.#relay = new Relay(socket, {
			reader: this.#reader,
			overrides: this.#overrides,
			start: (onLine) =>
				AppServer.start(this.#path, { cwd, env, args: serverArguments(args), onLine }),
			onOutput: (outputs) => this.#queue.push(...outputs),
			room: () => this.#queue.room(),
		})
		// One that connects again goes on with what the session has become.
		this.#overrides = {}
	}

	started(child: ChildProcess, ended: Promise<Ended>, cleanup: AsyncDisposable): void {
		this.#child = child
		const abort = () => void this.stop()
		this.#options.signal?.addEventListener('abort', abort, { once: true })
		// Keys belong to the agent: an interrupt typed before it has the terminal must not end the host.
		process.on('SIGINT', ignore)
		void ended.then(async (how) => {
			process.off('SIGINT', ignore)
			this.#options.signal?.removeEventListener('abort', abort)
			this.#queue.flush()
			await this.#relay?.stop()
			this.#queue.push(...this.#reader.end(new Date().toISOString()))
			this.#queue.close()
			await cleanup[Symbol.asyncDispose]()
			giveBackTerminal(how)
			this.#ended.resolve(how)
		})
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		return this.#relay === null ? false : this.#relay.answer(id, answer)
	}

	async prompt(text: string): Promise<void> {
		if (this.#relay !== null) return this.#relay.prompt(text)
		throw cannot('The agent has no session open yet; try again then.')
	}

	async interrupt(): Promise<void> {
		if (await this.#relay?.interrupt()) return
		throw cannot('No turn of the agent runs that could be interrupted.')
	}

	async setMode(mode: string): Promise<void> {
		if (this.#relay !== null) return this.#relay.setMode(mode)
		throw cannot('The agent has no session open yet; try again then.')
	}

	async stop(): Promise<void> {
		this.#queue.flush()
		if (this.#child !== null && !hasEnded(this.#child)) {
			await terminate(this.#child, this.ended, graceMs)
		}
		await this.ended
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}
}

function ignore(): void {}
