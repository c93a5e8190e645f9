/**
 * A loopback proxy that keeps what goes through it: requests, answers and messages of the live channel,
 * whole and without their framing (chunks, masks), so that a search of them can miss nothing.
 */
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { type Agent, request as httpsRequest } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import type { Endpoint } from './client.ts'

export interface TappedPiece {
	direction: 'up' | 'down'
	/** Such as `POST /rest/v1/rpc/append_messages`. */
	what: string
	bytes: Buffer
}

/** Headers that belong to one connection, and what would make an answer unreadable for the search. */
const ownHeaders = new Set(['host', 'connection', 'keep-alive', 'accept-encoding', 'upgrade'])

export class WireTap implements AsyncDisposable {
	/** How to reach the backend through the tap. */
	readonly endpoint: Endpoint
	readonly pieces: TappedPiece[] = []
	/** While `false`, bytes pass and are counted, but not kept. */
	keeping = true
	readonly #server: Server
	readonly #live = new WebSocketServer({ noServer: true, perMessageDeflate: false })
	readonly #target: URL
	/** Of a pinned backend. */
	readonly #agent: Agent | undefined
	readonly #sockets = new Set<Socket>()
	#closedBytes = { up: 0, down: 0 }

	private constructor(server: Server, target: Endpoint) {
		const { port } = server.address() as AddressInfo
		this.#server = server
		this.#target = new URL(target.url)
		this.#agent = target.pinned?.agent
		this.endpoint = { url: `http://127.0.0.1:${port}`, anonKey: target.anonKey }
		server.on('connection', (socket) => this.#count(socket))
		server.on('request', (request, response) => {
			if (!this.#isOwn(request)) {
				response.writeHead(403).end()
				return
			}
			this.#pass(request).then(
				({ status, headers, body }) => response.writeHead(status, headers).end(body),
				// The client takes a cut connection for what it is: the backend is out of reach.
				() => response.destroy(),
			)
		})
		server.on('upgrade', (request, socket, head) => {
			socket.on('error', () => socket.destroy())
			if (!this.#isOwn(request)) return void socket.destroy()
			this.#live.handleUpgrade(request, socket, head, (client) => this.#join(request, client))
		})
	}

	/** Listens on a free loopback port, for a backend over HTTP or HTTPS. */
	static async open(target: Endpoint): Promise<WireTap> {
		const server = createServer()
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject)
			server.listen(0, '127.0.0.1', () => resolve())
		})
		return new WireTap(server, target)
	}

	/** Bytes on the wire so far, all framing included. */
	get bytes(): { up: number; down: number } {
		const open = [...this.#sockets]
		return {
			up: open.reduce((sum, socket) => sum + socket.bytesRead, this.#closedBytes.up),
			down: open.reduce((sum, socket) => sum + socket.bytesWritten, this.#closedBytes.down),
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const client of this.#live.clients) client.terminate()
		const closed = new Promise((resolve) => this.#server.close(resolve))
		this.#server.closeAllConnections()
		await closed
	}

	/** The backend refuses a name that was made to point at this machine; so must whoever stands before it. */
	#isOwn({ headers }: IncomingMessage): boolean {
		return headers.host === new URL(this.endpoint.url).host && headers.origin === undefined
	}

	#count(socket: Socket): void {
		this.#sockets.add(socket)
		socket.once('close', () => {
			this.#sockets.delete(socket)
			this.#closedBytes.up += socket.bytesRead
			this.#closedBytes.down += socket.bytesWritten
		})
	}

	#keep(direction: TappedPiece['direction'], what: string, bytes: Buffer): void {
		if (this.keeping) this.pieces.push({ direction, what, bytes })
	}

	async #pass(request: IncomingMessage) {
		const { method = 'GET', url = '/' } = request
		const body = await readAll(request)
		const what = `${method} ${url.split('?')[0]}`
		const head = `${method} ${url}\r\n${request.rawHeaders.join('\r\n')}\r\n\r\n`
		this.#keep('up', what, Buffer.concat([Buffer.from(head, 'latin1'), body]))
		const answer = await this.#forward(request, body)
		const answerHead = `${answer.status}\r\n${answer.rawHeaders.join('\r\n')}\r\n\r\n`
		this.#keep('down', what, Buffer.concat([Buffer.from(answerHead, 'latin1'), answer.body]))
		const headers = { ...answer.headers, 'content-length': answer.body.length }
		return { status: answer.status, headers, body: answer.body }
	}

	#forward({ method, url = '/', headers }: IncomingMessage, body: Buffer) {
		const target = this.#upstream(url)
		const send = target.protocol === 'https:' ? httpsRequest : httpRequest
		return new Promise<{
			status: number
			rawHeaders: string[]
			headers: Record<string, string | string[]>
			body: Buffer
		}>((resolve, reject) => {
			const agent = this.#agent
			const options = {
				method,
				headers: { ...passedOn(headers), 'content-length': body.length },
				...(agent ? { agent } : {}),
			}
			const sending = send(target, options, (answer) => {
				const { statusCode = 502, rawHeaders } = answer
				readAll(answer).then(
					(received) =>
						resolve({
							status: statusCode,
							rawHeaders,
							headers: passedOn(answer.headers),
							body: received,
						}),
					reject,
				)
			})
			sending.on('error', reject)
			sending.end(body)
		})
	}

	#upstream(path: string): URL {
		return new URL(this.#target.pathname.replace(/\/$/, '') + path, this.#target)
	}

	#join(request: IncomingMessage, client: WebSocket): void {
		const target = this.#upstream(request.url ?? '/')
		target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
		const headers = Object.fromEntries(
			Object.entries(passedOn(request.headers)).filter(([name]) => !/^sec-websocket-/.test(name)),
		)
		const agent = this.#agent
		const server = new WebSocket(target, {
			headers,
			perMessageDeflate: false,
			...(agent ? { agent } : {}),
		})
		const what = 'live channel'
		const head = `GET ${request.url}\r\n${request.rawHeaders.join('\r\n')}\r\n\r\n`
		this.#keep('up', what, Buffer.from(head, 'latin1'))
		const waiting: [RawData, boolean][] = []
		const forward = (data: RawData, binary: boolean) => server.send(data, { binary })
		client.on('message', (data, binary) => {
			this.#keep('up', what, bufferOf(data))
			if (server.readyState === WebSocket.OPEN) forward(data, binary)
			else waiting.push([data, binary])
		})
		server.on('open', () => {
			for (const [data, binary] of waiting.splice(0)) forward(data, binary)
		})
		server.on('message', (data, binary) => {
			this.#keep('down', what, bufferOf(data))
			client.send(data, { binary })
		})
		for (const [one, other] of [
			[client, server],
			[server, client],
		] as const) {
			one.on('close', () => other.close())
			one.on('error', () => other.terminate())
		}
	}
}

function passedOn(headers: IncomingMessage['headers']): Record<string, string | string[]> {
	const dropped = new Set([...ownHeaders, 'transfer-encoding', 'content-length'])
	return Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) =>
			value === undefined || dropped.has(name) ? [] : [[name, value]],
		),
	)
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
	const chunks: Buffer[] = []
	for await (const chunk of stream) chunks.push(chunk)
	return Buffer.concat(chunks)
}

function bufferOf(data: RawData): Buffer {
	if (Array.isArray(data)) return Buffer.concat(data)
	return data instanceof ArrayBuffer ? Buffer.from(data) : data
}
