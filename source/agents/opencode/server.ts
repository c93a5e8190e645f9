/** OpenCode's own server on loopback, behind a password that only its children of ours know. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'
import { childEnvironment } from '../child-environment.ts'
import { type Ended, hasEnded, lastWords, spawned, watchEnd, within } from '../child-process.ts'
import { endWithHost } from '../end-with-host.ts'
import { readLines } from '../lines.ts'
import { readEvents } from './sse.ts'

const readyMs = 60_000
/** Its first answer comes late on a machine with much else to do. */
const callMs = 45_000
const graceMs = 3000
const user = 'opencode'

export interface ServerOptions {
	cwd: string
	env: NodeJS.ProcessEnv
	/** Settings beside the person's own. */
	settings: Record<string, unknown>
	/** A folder of ours to be removed should we be killed. */
	folder: string
}

export interface Answer {
	ok: boolean
	status: number
	body: unknown
}

export class OpencodeServer {
	readonly ended: Promise<Ended>
	readonly #child: ChildProcessByStdio<null, Readable, Readable>
	readonly #password: string
	readonly #env: NodeJS.ProcessEnv
	#url = ''

	private constructor(path: string, { cwd, env, settings }: ServerOptions) {
		this.#password = randomBytes(32).toString('base64url')
		this.#env = withoutProxyToUs(childEnvironment(env))
		// A group of its own: keys typed in this terminal are for the interface.
		this.#child = spawn(path, ['serve', '--hostname', '127.0.0.1', '--port', '0'], {
			cwd,
			env: {
				...this.clientEnvironment(),
				OPENCODE_CONFIG_CONTENT: withSettings(env.OPENCODE_CONFIG_CONTENT, settings),
			},
			stdio: ['ignore', 'pipe', 'pipe'],
			detached: true,
		})
		this.ended = watchEnd(this.#child)
	}

	/** Throws `agent_failed` when it does not come up, `agent_settings`. */
	static async start(path: string, options: ServerOptions): Promise<OpencodeServer> {
		const server = new OpencodeServer(path, options)
		await spawned(server.#child, 'OpenCode')
		endWithHost(server.#child, options.folder, true)
		try {
			server.#url = await server.#listening()
			return server
		} catch (error) {
			await server.stop()
			throw error
		}
	}

	get url(): string {
		return this.#url
	}

	get running(): boolean {
		return !hasEnded(this.#child)
	}

	/** Environment of what talks to it. */
	clientEnvironment(): NodeJS.ProcessEnv {
		return {
			...this.#env,
			OPENCODE_SERVER_USERNAME: user,
			OPENCODE_SERVER_PASSWORD: this.#password,
		}
	}

	/** Throws `agent_failed` when there is no answer. */
	async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
		try {
			const response = await fetch(this.#url + path, {
				method,
				headers: { ...this.#headers, 'content-type': 'application/json' },
				signal: AbortSignal.timeout(callMs),
				...(body === undefined ? {} : { body: JSON.stringify(body) }),
			})
			const text = await response.text()
			return { ok: response.ok, status: response.status, body: json(text) }
		} catch (cause) {
			const text = "OpenCode's server did not answer; run `opencode serve` by itself to see why."
			throw new StyrbyError('agent_failed', text, { cause })
		}
	}

	/** What `GET path` gives. Throws `agent_failed` when it is nothing that we understand. */
	async read<T extends v.GenericSchema>(path: string, schema: T): Promise<v.InferOutput<T>> {
		const parsed = v.safeParse(schema, (await this.call('GET', path)).body)
		if (parsed.success) return parsed.output
		throw new StyrbyError(
			'agent_failed',
			`OpenCode's server answers ${path} in a form that is not known; use a version that was tested.`,
		)
	}

	/** All events from now on: returns when the server has begun to send them. */
	async events(signal: AbortSignal): Promise<AsyncGenerator<string | null, void, void>> {
		const response = await fetch(`${this.#url}/event`, { headers: this.#headers, signal })
		if (response.ok && response.body !== null) return readEvents(response.body)
		throw new StyrbyError(
			'agent_failed',
			`OpenCode's server gives no events (status ${response.status}); use a version that was tested.`,
		)
	}

	async stop(): Promise<void> {
		this.#signal('SIGTERM')
		if (await within(this.ended, graceMs)) return
		this.#signal('SIGKILL')
		await this.ended
	}

	/** The whole group: the program may be a wrapper of the real one. */
	#signal(signal: NodeJS.Signals): void {
		const { pid } = this.#child
		if (pid === undefined || hasEnded(this.#child)) return
		try {
			process.kill(process.platform === 'win32' ? pid : -pid, signal)
		} catch {
			// It has just ended.
		}
	}

	get #headers(): Record<string, string> {
		const login = Buffer.from(`${user}:${this.#password}`).toString('base64')
		return { authorization: `Basic ${login}` }
	}

	/** Its address, once it says that it listens. */
	async #listening(): Promise<string> {
		const said = Promise.withResolvers<string>()
		void (async () => {
			try {
				// Everything is read, so that it never waits for us.
				for await (const { text } of readLines(this.#child.stdout, 64 * 1024)) {
					const found = /listening on (http:\/\/127\.0\.0\.1:\d{1,5})\s*$/.exec(text ?? '')
					if (found?.[1] !== undefined) said.resolve(found[1])
				}
			} catch {
				// Its output ends with it; `ended` tells.
			}
		})()
		const up = said.promise.then((url) => ({ url }))
		const down = this.ended.then(({ stderr }) => ({ stderr }))
		let timer: NodeJS.Timeout | undefined
		const late = new Promise<{ stderr: string }>((resolve) => {
			timer = setTimeout(() => resolve({ stderr: 'it does not say where it listens' }), readyMs)
		})
		const first = await Promise.race([up, down, late])
		clearTimeout(timer)
		if ('url' in first) return first.url
		const words = lastWords(first.stderr)
		throw new StyrbyError(
			'agent_failed',
			`OpenCode did not start: ${words === '' ? 'it gave no reason' : words}. Run it by itself to mend this.`,
		)
	}
}

/** The person's own `OPENCODE_CONFIG_CONTENT`, if any, with ours. */
export function withSettings(own: string | undefined, settings: Record<string, unknown>): string {
	const schema = v.looseObject({ plugin: v.optional(v.array(v.unknown()), []) })
	const parsed = v.safeParse(schema, own === undefined || own.trim() === '' ? {} : json(own))
	if (!parsed.success) {
		throw new StyrbyError(
			'agent_settings',
			'OPENCODE_CONFIG_CONTENT is not JSON that can be read; correct it or unset it.',
		)
	}
	const added = v.parse(schema, settings)
	const plugin = [...parsed.output.plugin, ...added.plugin]
	return JSON.stringify({ ...parsed.output, ...added, plugin })
}

function json(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return null
	}
}

/** With a proxy set, calls to the server would go to the proxy, password and all. */
function withoutProxyToUs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const proxied = Object.keys(env).some((name) => /^(?:https?|all)_proxy$/i.test(name))
	if (!proxied) return env
	const own = env.no_proxy ?? env.NO_PROXY
	const list = own === undefined || own === '' ? '127.0.0.1' : `${own},127.0.0.1`
	return { ...env, no_proxy: list, NO_PROXY: list }
}
