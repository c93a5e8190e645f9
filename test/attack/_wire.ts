/**
 * A hostile server: a proxy in front of the real embedded backend that can change any answer, keep back any
 * request, and change, repeat or invent anything on the live channel.
 */
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { WebSocket, WebSocketServer } from 'ws'

export interface Reply {
	status: number
	headers: Record<string, string>
	body: Buffer | string
}

/** A message of the live channel. */
export interface LiveMessage {
	topic: string
	event: string
	payload: unknown
}

export interface Attack {
	/** Changes the JSON that a function answers; `args` is what it was called with. */
	answer?(name: string, answer: unknown, args: Record<string, unknown>): unknown
	/** Answers in the backend's place. */
	instead?(path: string, args: unknown): Reply | null
	/** Changes what a function is called with. */
	call?(name: string, args: Record<string, unknown>): Record<string, unknown>
	/** What becomes of a broadcast on its way to the client. */
	live?(message: LiveMessage): LiveMessage[]
}

/** Joins of a client, so that something can be invented for it. */
interface Joined {
	client: WebSocket
	joinRef: unknown
	topic: string
}

export class HostileServer implements AsyncDisposable {
	attack: Attack = {}
	/** Every function called, with its arguments. */
	readonly calls: { name: string; args: Record<string, unknown> }[] = []
	readonly url: string
	readonly #server: Server
	readonly #live = new WebSocketServer({ noServer: true })
	readonly #target: URL
	readonly #sockets = new Set<Socket>()
	readonly #joined: Joined[] = []

	private constructor(server: Server, target: string) {
		this.#server = server
		this.#target = new URL(target)
		const { port } = server.address() as AddressInfo
		this.url = `http://127.0.0.1:${port}`
		server.on('connection', (socket) => {
			this.#sockets.add(socket)
			socket.once('close', () => this.#sockets.delete(socket))
		})
		server.on('request', (request, response) => {
			this.#pass(request).then(
				({ status, headers, body }) => response.writeHead(status, headers).end(body),
				() => response.destroy(),
			)
		})
		server.on('upgrade', (request, socket, head) => {
			this.#live.handleUpgrade(request, socket, head, (client) => this.#join(request, client))
		})
	}

	static async before(target: string): Promise<HostileServer> {
		const server = createServer()
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		return new HostileServer(server, target)
	}

	async #pass(request: IncomingMessage): Promise<Reply> {
		const path = request.url ?? '/'
		const name = path.match(/\/rest\/v1\/rpc\/(\w+)/)?.[1] ?? null
		let body = await buffer(request)
		let args: Record<string, unknown> = {}
		if (name !== null && body.length > 0) {
			args = JSON.parse(body.toString())
			args = this.attack.call?.(name, args) ?? args
			body = Buffer.from(JSON.stringify(args))
			this.calls.push({ name, args })
		}
		const made = this.attack.instead?.(name ?? path, args)
		if (made) return made
		const reply = await this.#ask(request, body)
		if (name === null || reply.status !== 200 || !this.attack.answer) return reply
		const answer: unknown = JSON.parse(reply.body.toString() || 'null')
		return { ...reply, body: JSON.stringify(this.attack.answer(name, answer, args)) }
	}

	#ask(request: IncomingMessage, body: Buffer): Promise<Reply> {
		const headers: Record<string, string | string[]> = {}
		for (const [name, value] of Object.entries(request.headers)) {
			if (
				value === undefined ||
				/^(?:host|connection|content-length|accept-encoding)$/.test(name)
			) {
				continue
			}
			headers[name] = value
		}
		return new Promise((resolve, reject) => {
			const asked = httpRequest(
				new URL(request.url ?? '/', this.#target),
				{ method: request.method, headers: { ...headers, 'content-length': String(body.length) } },
				async (response) => {
					const type = response.headers['content-type'] ?? 'application/json'
					resolve({
						status: response.statusCode ?? 502,
						headers: { 'content-type': type },
						body: await buffer(response),
					})
				},
			)
			asked.once('error', reject)
			asked.end(body)
		})
	}

	#join(request: IncomingMessage, client: WebSocket): void {
		const url = new URL(request.url ?? '/', this.#target)
		url.protocol = 'ws:'
		const headers = Object.fromEntries(
			Object.entries(request.headers).filter(([name]) => /^(?:authorization|apikey)$/.test(name)),
		)
		const server = new WebSocket(url, { headers })
		const early: [Buffer, boolean][] = []
		server.on('open', () => {
			for (const [data, binary] of early.splice(0)) server.send(data, { binary })
		})
		client.on('message', (data: Buffer, binary: boolean) => {
			if (!binary) this.#note(client, data.toString())
			if (server.readyState === WebSocket.OPEN) server.send(data, { binary })
			else early.push([data, binary])
		})
		server.on('message', (data: Buffer, binary: boolean) => {
			const text = binary ? asText(data) : data.toString()
			for (const each of this.#changed(text)) client.send(each)
		})
		server.on('close', () => client.close())
		client.on('close', () => server.close())
		server.on('error', () => client.terminate())
		client.on('error', () => server.terminate())
	}

	#note(client: WebSocket, text: string): void {
		const message: unknown = JSON.parse(text)
		if (!Array.isArray(message) || message[3] !== 'phx_join') return
		this.#joined.push({ client, joinRef: message[0], topic: String(message[2]) })
	}

	#changed(text: string): string[] {
		const { live } = this.attack
		const message: unknown = JSON.parse(text)
		if (!live || !Array.isArray(message) || message[3] !== 'broadcast') return [text]
		const [joinRef, ref, topic, , inner] = message
		return live({ topic, event: inner.event, payload: inner.payload }).map(({ event, payload }) =>
			JSON.stringify([joinRef, ref, topic, 'broadcast', { ...inner, event, payload }]),
		)
	}

	/** Says something on the live channel that the backend never said, to every client that joined. */
	invent(topic: RegExp, event: string, payload: unknown): number {
		const open = this.#joined.filter(
			(one) => topic.test(one.topic) && one.client.readyState === WebSocket.OPEN,
		)
		for (const { client, joinRef, topic: name } of open) {
			const inner = { type: 'broadcast', event, payload }
			client.send(JSON.stringify([joinRef, null, name, 'broadcast', inner]))
		}
		return open.length
	}

	/** Sends bytes as they are to every client. */
	blurt(data: string | Buffer): void {
		for (const { client } of this.#joined) {
			if (client.readyState === WebSocket.OPEN) client.send(data)
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const client of this.#live.clients) client.terminate()
		for (const socket of this.#sockets) socket.destroy()
		await new Promise((resolve) => this.#server.close(resolve))
	}
}

/** What a client broadcast comes as bytes: kind 4, sizes of topic, event and metadata, encoding, then those. */
function asText(frame: Buffer): string {
	const [, topicSize = 0, eventSize = 0, metadataSize = 0] = frame
	const topic = 5 + topicSize
	const event = topic + eventSize
	const inner = {
		type: 'broadcast',
		event: frame.toString('utf8', topic, event),
		payload: JSON.parse(frame.toString('utf8', event + metadataSize)),
	}
	return JSON.stringify([null, null, frame.toString('utf8', 5, topic), 'broadcast', inner])
}
