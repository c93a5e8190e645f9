import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { WebSocketServer } from 'ws'
import { systemCode } from '../config/home-error.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { authRoutes } from './auth-routes.ts'
import type { ServerContext } from './context.ts'
import { type Refusal, refuseRequest, refuseStranger } from './guard.ts'
import { proofOf } from './installation.ts'
import type { Vsn } from './realtime-frames.ts'
import type { Hub } from './realtime-hub.ts'
import { type SocketLimits, serveSocket, socketLimits } from './realtime-socket.ts'
import { rpcRoutes } from './rpc-routes.ts'
import { readStorageState } from './storage-state.ts'

const loopback = '127.0.0.1'
const socketPath = '/realtime/v1/websocket'
const maxConnections = 400
const serviceRestart = 1012
/** Whoever connects and says nothing, or says it slowly, takes a place from the others. In ms. */
const patience = {
	keepAliveTimeout: 30_000,
	headersTimeout: 10_000,
	requestTimeout: 60_000,
	connectionsCheckingInterval: 5_000,
}
/** How long requests under way may take once the server is to close. */
const drainMs = 5_000
const idleLookMs = 20

export interface HttpOptions {
	readonly context: ServerContext
	readonly hub: Hub
	/** The port to have, where it is free; 0 for any. */
	readonly port: number
	/** Fail with `port_taken` rather than take another port. */
	readonly exactPort?: boolean
	readonly limits?: SocketLimits
	/** Asked over HTTP to end, by a process that has the key. */
	readonly onStop: () => void
}

export interface HttpServer extends AsyncDisposable {
	readonly port: number
	readonly url: string
	/** Requests under way and open WebSockets. */
	readonly busy: number
	/** When the last request came or the last WebSocket closed, in ms since 1970. */
	readonly lastActive: number
}

/** Serves auth, functions and the live channel on the loopback interface. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
	const { context, hub, onStop } = options
	let port = 0
	let requests = 0
	let lastActive = context.now()

	const app = new Hono()
	app.use(async (c, next) => {
		const credentials = {
			host: c.req.header('host'),
			origin: c.req.header('origin'),
			apikey: c.req.header('apikey'),
		}
		// Whoever looks for the right daemon must not have to show the key to a wrong one.
		const refusal =
			c.req.path === '/health'
				? refuseStranger(credentials)
				: refuseRequest(credentials, context.access.anonKey)
		if (refusal !== null) {
			return c.json(refusalJson(refusal), refusal.status, { connection: 'close' })
		}
		await next()
	})
	app.get('/health', (c) => {
		const challenge = c.req.query('challenge') ?? ''
		const good = /^[0-9a-f]{64}$/.test(challenge)
		return c.json({
			status: 'ok',
			version: context.version,
			start: context.start,
			pid: process.pid,
			proof: good ? proofOf(context.access, challenge, port, context.start) : null,
		})
	})
	app.get('/control/state', async (c) => {
		return c.json({ now: context.now(), storage: await readStorageState(context.engine) })
	})
	app.post('/control/stop', (c) => {
		setImmediate(onStop)
		return c.json({ pid: process.pid }, 202)
	})
	app.route('/auth/v1', authRoutes(context))
	app.route('/rest/v1', rpcRoutes(context))
	app.notFound((c) => c.json({ code: 'not_found', message: 'Not part of this backend' }, 404))
	app.onError((error, c) => {
		context.log(`a request failed: ${error.message}`)
		return c.json({ code: 'unexpected_failure', message: 'The backend could not do this' }, 500)
	})

	const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
	const server = createServer(patience, (request, response) => {
		if (request.url?.startsWith('/health') !== true) {
			requests += 1
			lastActive = context.now()
			response.once('close', () => {
				requests -= 1
				lastActive = context.now()
			})
		}
		void answer(request, response)
	})
	server.maxConnections = maxConnections
	server.on('clientError', (_error, socket) => {
		if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
	})

	const limits = options.limits ?? socketLimits
	const sockets = new WebSocketServer({
		noServer: true,
		maxPayload: limits.frameBytes,
		perMessageDeflate: false,
	})
	server.on('upgrade', (request, socket, head) => {
		socket.on('error', () => socket.destroy())
		const vsn = checkUpgrade(request, context.access.anonKey)
		if (typeof vsn !== 'string') return refuseUpgrade(socket, vsn)
		sockets.handleUpgrade(request, socket, head, (one) => {
			lastActive = context.now()
			one.on('close', () => {
				lastActive = context.now()
			})
			serveSocket(context, hub, one, vsn, limits)
		})
	})

	const listen = (wanted: number): Promise<number> =>
		new Promise((resolve, reject) => {
			server.once('error', reject)
			server.listen({ host: loopback, port: wanted, exclusive: true }, () => {
				server.off('error', reject)
				const address = server.address()
				resolve(typeof address === 'object' && address !== null ? address.port : wanted)
			})
		})
	try {
		port = await listen(options.port)
	} catch (error) {
		const taken = ['EADDRINUSE', 'EACCES'].includes(systemCode(error))
		if (!taken) throw error
		if (options.exactPort) throw portTaken(options.port)
		port = await listen(0)
	}
	server.on('error', (error) => context.log(`the server failed: ${error.message}`))

	return {
		port,
		url: `http://${loopback}:${port}`,
		get busy() {
			return requests + sockets.clients.size
		},
		get lastActive() {
			return lastActive
		},
		async [Symbol.asyncDispose]() {
			const closed = new Promise((resolve) => server.close(resolve))
			for (const one of sockets.clients) one.close(serviceRestart, 'the backend stops')
			// Clients keep connections for a next request; some of those never count as idle.
			const idle = setInterval(() => {
				if (requests === 0 && sockets.clients.size === 0) server.closeAllConnections()
			}, idleLookMs)
			const impatient = setTimeout(() => {
				for (const one of sockets.clients) one.terminate()
				server.closeAllConnections()
			}, drainMs)
			await closed
			clearInterval(idle)
			clearTimeout(impatient)
			sockets.close()
		},
	}
}

function checkUpgrade(request: IncomingMessage, anonKey: string): Vsn | Refusal {
	const base = 'http://localhost'
	const url = new URL(URL.canParse(request.url ?? '', base) ? (request.url ?? '') : '/', base)
	const header = request.headers.apikey
	const refusal = refuseRequest(
		{
			host: request.headers.host,
			origin: request.headers.origin,
			apikey: url.searchParams.get('apikey') ?? (typeof header === 'string' ? header : undefined),
		},
		anonKey,
	)
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

function refusalJson({ code, message }: Refusal) {
	return { code, error_code: code, message, msg: message }
}

function portTaken(port: number): StyrbyError {
	return new StyrbyError(
		'port_taken',
		`Port ${port} is taken by another program; give another one, or none.`,
		{ exitCode: exit.failed },
	)
}
