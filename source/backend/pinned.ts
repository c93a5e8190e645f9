/**
 * Connections to a server that shows one certificate of its own making: not who signed it counts, but that
 * it is the very one. Nothing is sent before it was looked at.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { Readable } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { WebSocket } from 'ws'
import type { Pinned } from './client.ts'
import { wrongCertificate, wrongCertificateName } from './failure.ts'

/** How long a handshake may take, ms. */
const handshakeMs = 10_000

class WrongCertificate extends Error {
	override readonly name = wrongCertificateName
	constructor() {
		super('the certificate is not the pinned one', { cause: wrongCertificate() })
	}
}

/** Whether a certificate (DER) has this SHA-256 (base64). */
export function isPinned(certificate: Uint8Array, pin: string): boolean {
	const expected = Buffer.from(pin, 'base64')
	const actual = createHash('sha256').update(certificate).digest()
	return expected.length === actual.length && timingSafeEqual(expected, actual)
}

const agents = new Map<string, Agent>()

/** The agent of all connections of this process that are pinned to this certificate (SHA-256, base64). */
function pinnedAgent(pin: string): Agent {
	const known = agents.get(pin)
	if (known) return known
	const agent = new Agent({ keepAlive: true })
	agent.createConnection = (options, callback) => {
		dial(options, pin).then(
			(socket) => callback?.(null, socket),
			// Without a socket, which the type does not know.
			(error: Error) => Reflect.apply(callback ?? (() => undefined), null, [error]),
		)
		return undefined
	}
	agents.set(pin, agent)
	return agent
}

/** A connection whose other end has proved that it holds the key of the pinned certificate. */
function dial(options: RequestOptions, pin: string): Promise<TLSSocket> {
	const host = String(options.host ?? options.hostname ?? 'localhost')
	return new Promise((resolve, reject) => {
		const socket = connect({
			host,
			port: Number(options.port ?? 443),
			// An address is no server name.
			...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
			// Who signed it does not matter: it is compared below, before anything is sent.
			rejectUnauthorized: false,
			minVersion: 'TLSv1.3',
		})
		const timer = setTimeout(() => socket.destroy(new Error('no handshake in time')), handshakeMs)
		const failed = (error: Error) => {
			clearTimeout(timer)
			socket.destroy()
			reject(error)
		}
		socket.once('error', failed)
		socket.once('close', () => failed(new Error('closed before the handshake')))
		socket.once('secureConnect', () => {
			clearTimeout(timer)
			const { raw } = socket.getPeerCertificate()
			if (!raw || !isPinned(raw, pin)) return failed(new WrongCertificate())
			socket.removeAllListeners('error')
			socket.removeAllListeners('close')
			resolve(socket)
		})
	})
}

const withoutBody = new Set([101, 204, 205, 304])

/** `fetch`, as far as the client library needs it, over pinned connections. */
function pinnedFetch(pin: string): typeof fetch {
	return async (input, init) => {
		const asked = new Request(input, init)
		const body = Buffer.from(await asked.arrayBuffer())
		const { signal, method } = asked
		signal.throwIfAborted()
		const answer = await new Promise<Response>((resolve, reject) => {
			const sending = httpsRequest(
				asked.url,
				{
					agent: pinnedAgent(pin),
					method,
					headers: { ...Object.fromEntries(asked.headers), 'content-length': body.length },
				},
				(received) => {
					const { statusCode = 502, statusMessage = '' } = received
					const headers = new Headers()
					for (const [name, value] of Object.entries(received.headersDistinct)) {
						for (const one of value ?? []) headers.append(name, one)
					}
					const stream = withoutBody.has(statusCode) ? null : bodyOf(received)
					if (stream === null) received.resume()
					resolve(new Response(stream, { status: statusCode, statusText: statusMessage, headers }))
				},
			)
			const abort = () => sending.destroy(signal.reason)
			signal.addEventListener('abort', abort, { once: true })
			sending.once('close', () => signal.removeEventListener('abort', abort))
			sending.once('error', (cause) => {
				if (signal.aborted || cause instanceof WrongCertificate) return reject(cause)
				reject(new TypeError('fetch failed', { cause }))
			})
			sending.end(body)
		})
		return answer
	}
}

/** The types of Node's streams and of the web's are not the same ones. */
function bodyOf(stream: Readable): ReadableStream<Uint8Array> {
	return Readable.toWeb(stream) as ReadableStream<Uint8Array>
}

/** A WebSocket that connects to the server with this certificate and to no other. */
function pinnedWebSocket(pin: string): Pinned['WebSocket'] {
	const pinned: unknown = class extends WebSocket {
		constructor(address: string | URL, protocols?: string | string[]) {
			super(address, protocols, { agent: pinnedAgent(pin), perMessageDeflate: false })
		}
	}
	// The client library types a WebSocket as browsers do, down to the events.
	return pinned as Pinned['WebSocket']
}

/** All ways to the server with this certificate (its SHA-256, base64). */
export function pinnedTo(pin: string): Pinned {
	return { fetch: pinnedFetch(pin), WebSocket: pinnedWebSocket(pin), agent: pinnedAgent(pin) }
}
