/** `codex app-server` on its standard streams: one JSON message a line, both ways. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { childEnvironment } from '../child-environment.ts'
import {
	type Ended,
	hasEnded,
	spawned,
	terminate,
	watchEnd,
	within,
	writeLine,
} from '../child-process.ts'
import { endWithHost } from '../end-with-host.ts'
import { type Line, readLines } from '../lines.ts'
import { parseMessage, type RpcId, type RpcMessage } from './schema.ts'

/** Longer lines are left out: a history in one message may be long. */
export const maxLineBytes = 64 * 1024 * 1024
const graceMs = 3000

export interface Reply {
	result: unknown
	/** Why it was refused, or `null`. */
	error: string | null
}

export interface AppServerOptions {
	cwd: string
	env: NodeJS.ProcessEnv
	/** Arguments after `app-server`. */
	args: readonly string[]
	/**
	 * Every line that is no answer to a call of ours. `message`: `null` when it is none; `line.text`: `null`
	 * when it was too long. The next line is read when this has ended.
	 */
	onLine(line: Line, message: RpcMessage | null): Promise<void>
}

/** Ids of our own calls; whoever else calls on the same connection uses other ones. */
const prefix = 'styrby-tui:'

export class AppServer {
	readonly ended: Promise<Ended>
	readonly #child: ChildProcessWithoutNullStreams
	readonly #calls = new Map<RpcId, (reply: Reply) => void>()
	readonly #onLine: AppServerOptions['onLine']
	#serial = 0

	private constructor(child: ChildProcessWithoutNullStreams, options: AppServerOptions) {
		this.#child = child
		this.#onLine = options.onLine
		const exit = watchEnd(child)
		// A write to one that has just ended fails; `ended` tells about it.
		child.stdin.on('error', () => child.stdin.destroy())
		this.ended = Promise.all([exit, this.#read()]).then(([ended]) => {
			for (const settle of this.#calls.values()) settle({ result: null, error: 'Codex has ended' })
			return ended
		})
	}

	/** Throws `agent_failed` when the system can't start it. */
	static async start(path: string, options: AppServerOptions): Promise<AppServer> {
		const child = spawn(path, ['app-server', ...options.args], {
			cwd: options.cwd,
			env: childEnvironment(options.env),
			stdio: 'pipe',
		})
		const server = new AppServer(child, options)
		await spawned(child, 'Codex')
		endWithHost(child)
		return server
	}

	get open(): boolean {
		return this.#child.stdin.writable && !hasEnded(this.#child)
	}

	/** Calls a method. The reply says so when it is refused, or when the app-server ends. */
	call(method: string, params: object): Promise<Reply> {
		const id = `${prefix}${++this.#serial}`
		const { promise, resolve } = Promise.withResolvers<Reply>()
		this.#calls.set(id, resolve)
		void this.write(JSON.stringify({ id, method, params })).then((written) => {
			if (!written) resolve({ result: null, error: 'Codex has ended' })
		})
		return promise.finally(() => this.#calls.delete(id))
	}

	notify(method: string): Promise<boolean> {
		return this.write(JSON.stringify({ method }))
	}

	respond(id: RpcId, result: object): Promise<boolean> {
		return this.write(JSON.stringify({ id, result }))
	}

	refuse(id: RpcId, message: string): Promise<boolean> {
		return this.write(JSON.stringify({ id, error: { code: -32_601, message } }))
	}

	/** Whether the line went out. */
	write(line: string): Promise<boolean> {
		return this.open ? writeLine(this.#child.stdin, line) : Promise.resolve(false)
	}

	/** Asks it to end, as the end of its input does; kills it when it does not. */
	async stop(): Promise<void> {
		this.#child.stdin.end()
		if (await within(this.ended, graceMs)) return
		await terminate(this.#child, this.ended, graceMs)
	}

	async #read(): Promise<void> {
		try {
			for await (const line of readLines(this.#child.stdout, maxLineBytes)) {
				const message = line.text === null ? null : parseMessage(line.text)
				const settle = message?.type === 'response' ? this.#calls.get(message.id) : undefined
				if (message?.type === 'response' && settle !== undefined) {
					settle({ result: message.result, error: message.error })
				} else await this.#onLine(line, message)
			}
		} catch {
			// A broken pipe: what ends it is told by `ended`.
			if (!hasEnded(this.#child)) this.#child.kill('SIGTERM')
		}
	}
}
