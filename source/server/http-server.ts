import { systemCode } from '../config/home-error.ts'
import { encodeJoinToken } from '../config/join-token.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { Cleanup } from './cleanup.ts'
import type { ServerContext } from './context.ts'
import { appOf, type Control, type Door } from './http-app.ts'
import { HttpDoor } from './http-door.ts'
import type { NetworkAddress } from './network-address.ts'
import type { Hub } from './realtime-hub.ts'
import { type SocketLimits, socketLimits } from './realtime-socket.ts'

const loopback = '127.0.0.1'

export interface HttpOptions {
	readonly context: ServerContext
	readonly hub: Hub
	/** The port to have, where it is free; 0 for any. */
	readonly port: number
	/** Fail with `port_taken` rather than take another port. */
	readonly exactPort?: boolean
	/** Where other machines reach it, over TLS. */
	readonly network?: NetworkAddress | null
	readonly limits?: SocketLimits
	/** Asked over HTTP to end, by a process of this home. */
	readonly onStop: () => void
	/** Whether a person started it, or a command that needed it. */
	readonly foreground: boolean
}

export interface HttpServer extends AsyncDisposable {
	readonly port: number
	readonly url: string
	/** Where other machines reach it; empty when only this one does. */
	readonly networkUrls: readonly string[]
	/** A join token with a new secret; `null` where only this machine is listened to. */
	joinToken(): { token: string; expiresAt: number } | null
	/** Requests under way and open WebSockets. */
	readonly busy: number
	/** When the last request came or the last WebSocket closed, in ms since 1970. */
	readonly lastActive: number
}

/**
 * Serves auth, functions and the live channel on the loopback interface, and where it is asked to on another
 * address. Throws `port_taken`, `bad_listen_address`.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
	const { context, hub, network = null, foreground, limits = socketLimits } = options
	const cleanup = new Cleanup()
	let port = 0
	const tokenOf = (secret: string): string | null => {
		if (network === null) return null
		const { urls, pin } = network
		return encodeJoinToken({ urls: [...urls], key: context.access.anonKey, pin, secret })
	}
	const control: Control = {
		onStop: options.onStop,
		joinToken: tokenOf,
		foreground,
		urls: () => network?.urls ?? [],
		port: () => port,
	}
	const open = (door: Door, tls: NetworkAddress['tls'] | null) => {
		const app = appOf(context, door, control)
		return new HttpDoor({ context, hub, door, app, limits, tls })
	}
	try {
		const own = open({ place: 'loopback', names: [] }, null)
		port = await own.listen(loopback, options.port).catch((error: unknown) => {
			if (!isTaken(error)) throw error
			if (options.exactPort) throw portTaken(options.port)
			return own.listen(loopback, 0)
		})
		cleanup.use(own)
		const doors = [own]
		if (network !== null) {
			const other = open({ place: 'network', names: network.names }, network.tls)
			await other.listen(network.host, network.port).catch((error: unknown) => {
				throw isTaken(error) ? portTaken(network.port) : noSuchAddress(network.host, error)
			})
			cleanup.use(other)
			doors.push(other)
		}
		return {
			port,
			url: `http://${loopback}:${port}`,
			networkUrls: network?.urls ?? [],
			joinToken() {
				const { secret, expiresAt } = context.joins.issue()
				const token = tokenOf(secret)
				return token === null ? null : { token, expiresAt }
			},
			get busy() {
				return doors.reduce((sum, door) => sum + door.busy, 0)
			},
			get lastActive() {
				return Math.max(...doors.map((door) => door.lastActive))
			},
			[Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose](),
		}
	} catch (error) {
		await cleanup[Symbol.asyncDispose]()
		throw error
	}
}

const isTaken = (error: unknown) => ['EADDRINUSE', 'EACCES'].includes(systemCode(error))

function portTaken(port: number): StyrbyError {
	return new StyrbyError(
		'port_taken',
		`Port ${port} is taken by another program; give another one, or none.`,
		{ exitCode: exit.failed },
	)
}

function noSuchAddress(host: string, cause: unknown): StyrbyError {
	return new StyrbyError(
		'bad_listen_address',
		`This machine can not listen at ${host} (${systemCode(cause) || 'unknown'}): give one of its own addresses, or 0.0.0.0 for all.`,
		{ exitCode: exit.usage, cause },
	)
}
