/** One address that is listened to, with its requests and its live channels. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { WebSocketServer } from 'ws'
import type { ServerContext } from './context.ts'
import { type Refusal, refuseRequest } from './guard.ts'
import { type Bindings, credentialsOf, type Door, refusalJson } from './http-app.ts'
import type { Vsn } from './realtime-frames.ts'
import type { Hub } from './realtime-hub.ts'
import { type SocketLimits, serveSocket } from './realtime-socket.ts'
import type { TlsIdentity } from './self-signed.ts'

const socketPath = '/realtime/v1/websocket'
const maxConnections = { loopback: 400, network: 200 }
/** So that one machine of the network does not take all places. */
const maxOfOneAddress = 50
const serviceRestart = 1012
/** Whoever connects and says nothing, or says it slowly, takes a place from the others. In ms. */
const patience = {
	keepAliveTimeout: 30_000,
	headersTimeout: 10_000,
	requestTimeout: 60_000,
	connectionsCheckingInterval: 5_000,
}
const handshakeTimeout = 10_000
/** How long requests under way may take once the server is to close. */
const drainMs = 5_000
const idleLookMs = 20

export interface DoorOptions {
	readonly context: ServerContext
	readonly hub: Hub
	readonly door: Door
	readonly app: Hono<{ Bindings: Bindings }>
	readonly limits: SocketLimits
	/** Without one it speaks plainly, as on the loopback interface. */
	readonly tls: TlsIdentity | null
}

export class HttpDoor implements AsyncDisposable {
	readonly #context: ServerContext
	readonly #server: Server
	readonly #sockets: WebSocketServer
	#requests = 0
	#lastActive: number

	constructor({ context, hub, door, app, limits, tls }: DoorOptions) {
		this.#context = context
		this.#lastActive = context.now()
		const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
		const server = tls
			? createTlsServer({
					...patience,
					handshakeTimeout,
					minVersion: 'TLSv1.3',
					cert: tls.certificate,
					key: tls.key,
				})
			: createServer(patience)
		server.on('request', (request, response) => {
			if (request.url?.startsWith('/health') !== true) {
				this.#requests += 1
				this.#lastActive = context.now()
				response.once('close', () => {
					this.#requests -= 1
					this.#lastActive = context.now()
				})
			}
			void answer(request, response)
		})
		server.maxConnections = maxConnections[door.place]
		if (door.place === 'network') limitEach(server)
		server.on('clientError', (_error, socket) => {
			if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
		})
		this.#sockets = new WebSocketServer({
			noServer: true,
			maxPayload: limits.frameBytes,
			perMessageDeflate: false,
		})
		server.on('upgrade', (request, socket, head) => {
			socket.on('error', () => socket.destroy())
			const vsn = checkUpgrade(request, door, context.access.anonKey)
			if (typeof vsn !== 'string') return refuseUpgrade(socket, vsn)
			this.#sockets.handleUpgrade(request, socket, head, (one) => {
				this.#lastActive = context.now()
				one.on('close', () => {
					this.#lastActive = context.now()
				})
				serveSocket(context, hub, one, vsn, limits)
			})
		})
		this.#server = server
	}

	/** Returns the port. Throws what the system says. */
	async listen(host: string, port: number): Promise<number> {
		const server = this.#server
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject)
			server.listen({ host, port, exclusive: true }, () => {
				server.off('error', reject)
				resolve()
			})
		})
		server.on('error', (error) => this.#context.log(`the server failed: ${error.message}`))
		const address = server.address()
		return typeof address === 'object' && address !== null ? address.port : port
	}

	/** Requests under way and open WebSockets. */
	get busy(): number {
		return this.#requests + this.#sockets.clients.size
	}

	/** When the last request came or the last WebSocket closed, in ms since 1970. */
	get lastActive(): number {
		return this.#lastActive
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const server = this.#server
		const sockets = this.#sockets
		const closed = new Promise((resolve) => server.close(resolve))
		for (const one of sockets.clients) one.close(serviceRestart, 'the backend stops')
		// Clients keep connections for a next request; some of those never count as idle.
		const idle = setInterval(() => {
			if (this.busy === 0) server.closeAllConnections()
		}, idleLookMs)
		const impatient = setTimeout(() => {
			for (const one of sockets.clients) one.terminate()
			server.closeAllConnections()
		}, drainMs)
		await closed
		clearInterval(idle)
		clearTimeout(impatient)
		sockets.close()
	}
}

function limitEach(server: Server): void {
	const open = new Map<string, number>()
	server.on('connection', (socket) => {
		const address = socket.remoteAddress ?? ''
		const count = (open.get(address) ?? 0) + 1
		if (count > maxOfOneAddress) {
			socket.destroy()
			return
		}
		open.set(address, count)
		socket.once('close', () => {
			const left = (open.get(address) ?? 1) - 1
			if (left === 0) open.delete(address)
			else open.set(address, left)
		})
	})
}

function checkUpgrade(request: IncomingMessage, door: Door, anonKey: string): Vsn | Refusal {
	const base = 'http://localhost'
	const url = new URL(URL.canParse(request.url ?? '', base) ? (request.url ?? '') : '/', base)
	const header = request.headers.apikey
	const apikey = url.searchParams.get('apikey') ?? (typeof header === 'string' ? header : undefined)
	const refusal = refuseRequest({ ...credentialsOf(request, door), apikey }, anonKey)
	if (refusal !== null) return refusal
	const vsn = url.searchParams.get('vsn') ?? '1.0.0'
	if (url.pathname !== socketPath || (vsn !== '1.0.0' && vsn !== '2.0.0')) {
		return { status: 400, code: 'not_found', message: 'No such socket' }
	}
	return vsn
}

function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
	const body = JSON.stringify(refusalJson(refusal))
	socket.end(
		`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
	)
}
