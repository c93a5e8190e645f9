/**
 * The loopback port that Codex's own interface connects to. Only who knows the token of this session is
 * let in, and only one at a time.
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { StyrbyError } from '../../protocol/errors.ts'
import { maxLineBytes } from './app-server.ts'

export class RemoteEndpoint implements AsyncDisposable {
	readonly url: string
	readonly #server: Server
	readonly #sockets = new WebSocketServer({
		noServer: true,
		perMessageDeflate: false,
		maxPayload: maxLineBytes,
	})
	readonly #token: Buffer
	readonly #port: number

	private constructor(server: Server, token: string, onConnection: (socket: WebSocket) => void) {
		const address = server.address()
		this.#port = address !== null && typeof address === 'object' ? address.port : 0
		this.url = `ws://127.0.0.1:${this.#port}`
		this.#server = server
		this.#token = Buffer.from(`Bearer ${token}`)
		server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
			stream.on('error', () => stream.destroy())
			const refusal = this.#refusal(request)
			if (refusal === null) this.#sockets.handleUpgrade(request, stream, head, onConnection)
			else stream.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
		})
	}

	/** Listens on a free port of 127.0.0.1. Throws `agent_failed` when there is none. */
	static async start(
		token: string,
		onConnection: (socket: WebSocket) => void,
	): Promise<RemoteEndpoint> {
		const server = createServer((_request, response) => response.writeHead(404).end())
		await new Promise<void>((resolve, reject) => {
			server.once('error', (cause) => {
				const text = 'No loopback port is free for the interface of Codex; close some programs.'
				reject(new StyrbyError('agent_failed', text, { cause }))
			})
			server.listen(0, '127.0.0.1', resolve)
		})
		return new RemoteEndpoint(server, token, onConnection)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
		for (const socket of this.#sockets.clients) socket.terminate()
		this.#server.closeAllConnections()
		await closed
	}

	/** A web page is kept out by what it can't leave out (Origin), and by a Host that is not ours. */
	#refusal(request: IncomingMessage): string | null {
		const { authorization, host, origin } = request.headers
		const given = Buffer.from(authorization ?? '')
		const known = given.length === this.#token.length && timingSafeEqual(given, this.#token)
		if (host !== `127.0.0.1:${this.#port}` || origin !== undefined) return '403 Forbidden'
		if (!known) return '401 Unauthorized'
		return this.#sockets.clients.size > 0 ? '409 Conflict' : null
	}
}
