/**
 * The loopback port that hooks of a native session call. Only who knows the token of this session is
 * heard; the agent learns the token from a settings file that only its owner can read.
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { StyrbyError } from '../../protocol/errors.ts'
import type { HookCall } from '../hook-call.ts'

const maxBodyBytes = 32 * 1024 * 1024

export class HookServer {
	readonly #server: Server
	readonly #token: Buffer
	readonly #onCall: (call: HookCall) => void
	readonly port: number

	private constructor(server: Server, token: string, onCall: (call: HookCall) => void) {
		const address = server.address()
		this.port = address !== null && typeof address === 'object' ? address.port : 0
		this.#server = server
		this.#token = Buffer.from(`Bearer ${token}`)
		this.#onCall = onCall
		server.on('request', (request, response) => {
			void this.#serve(request, response)
		})
	}

	/** Listens on a free port of 127.0.0.1. Throws `agent_failed` when there is none. */
	static async start(token: string, onCall: (call: HookCall) => void): Promise<HookServer> {
		// Hooks wait for a person: no time-out of ours may end one.
		const server = createServer({ requestTimeout: 0, keepAliveTimeout: 1000 })
		server.timeout = 0
		await new Promise<void>((resolve, reject) => {
			server.once('error', (cause) => {
				const text = 'No loopback port is free for the hooks of the agent; close some programs.'
				reject(new StyrbyError('agent_failed', text, { cause }))
			})
			server.listen(0, '127.0.0.1', resolve)
		})
		return new HookServer(server, token, onCall)
	}

	/** Hangs up on everyone: prompts that are open in the agent's interface stay there. */
	async [Symbol.asyncDispose](): Promise<void> {
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
		this.#server.closeAllConnections()
		await closed
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const refusal = this.#refusal(request)
		const body = refusal === null ? await readBody(request) : null
		if (refusal !== null || body === null) {
			response.writeHead(refusal ?? 413, { connection: 'close' }).end()
			return
		}
		this.#onCall({
			body,
			respond: async (text) => {
				// The system takes what is written to somebody who has hung up: look first whether they have.
				await turn()
				await turn()
				if (response.destroyed || response.writableEnded || request.socket.readableEnded)
					return false
				return new Promise((resolve) => {
					response.once('close', () => resolve(response.writableFinished))
					response.writeHead(200, { 'content-type': 'application/json' }).end(text)
				})
			},
			onHangUp: (listener) => {
				const gone = () => {
					if (!response.writableEnded) listener()
				}
				if (response.closed) setImmediate(gone)
				else response.once('close', gone)
			},
		})
	}

	/** The status to refuse with. The Host check keeps a web page out that rebinds its name to loopback. */
	#refusal(request: IncomingMessage): number | null {
		const given = Buffer.from(request.headers.authorization ?? '')
		const known = given.length === this.#token.length && timingSafeEqual(given, this.#token)
		if (request.headers.host !== `127.0.0.1:${this.port}`) return 403
		if (!known) return 401
		if (request.method !== 'POST' || request.url !== '/hook') return 404
		return null
	}
}

/** One turn of the event loop: what the system had to tell is told. */
function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve))
}

/** `null` when the body is over the limit or the connection broke. */
async function readBody(request: IncomingMessage): Promise<string | null> {
	const chunks: Buffer[] = []
	let length = 0
	try {
		for await (const chunk of request) {
			const bytes = Buffer.from(chunk)
			length += bytes.length
			if (length > maxBodyBytes) return null
			chunks.push(bytes)
		}
	} catch {
		// Hung up while sending: there is nobody to tell.
		return null
	}
	return Buffer.concat(chunks).toString('utf8')
}
