/** What is answered, and to whom: this machine may do more than the network. */
import type { IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import { type AuthDoor, authRoutes } from './auth-routes.ts'
import type { ServerContext } from './context.ts'
import { type Credentials, type Refusal, refuseRequest, refuseStranger } from './guard.ts'
import { controlKey, proofOf, sameSecret } from './installation.ts'
import { rpcRoutes } from './rpc-routes.ts'
import { readStorageState } from './storage-state.ts'

/** Where a request comes in: on the loopback port of this machine, or on one that others may reach. */
export interface Door {
	readonly place: 'loopback' | 'network'
	/** Names in `Host` that mean this server, beside its addresses. In lower case, without a port. */
	readonly names: readonly string[]
}

export interface Control {
	/** Asked to end by a process of this home. */
	readonly onStop: () => void
	/** `null` where only this machine is listened to. */
	joinToken(secret: string): string | null
	readonly foreground: boolean
	readonly urls: () => readonly string[]
	port(): number
}

export interface Bindings {
	readonly incoming: IncomingMessage
}

/** Of a request, as the guard wants it. */
export function credentialsOf(request: IncomingMessage, door: Door): Omit<Credentials, 'apikey'> {
	const { host, origin } = request.headers
	const address = request.socket.localAddress?.replace(/^::ffff:(?=\d+\.)/, '')
	// Whoever reaches an address of this machine under that very address was misled by no name.
	const own = door.place === 'network' && address ? [address, `[${address}]`] : []
	return { host, origin, names: [...door.names, ...own] }
}

export function appOf(
	context: ServerContext,
	door: Door,
	control: Control,
): Hono<{ Bindings: Bindings }> {
	const app = new Hono<{ Bindings: Bindings }>()
	const local = door.place === 'loopback'
	app.use(async (c, next) => {
		const { incoming } = c.env
		const credentials = credentialsOf(incoming, door)
		const apikey = c.req.header('apikey')
		// Whoever looks for the right daemon must not have to show the key to a wrong one.
		const refusal =
			local && c.req.path === '/health'
				? refuseStranger(credentials)
				: refuseRequest({ ...credentials, apikey }, context.access.anonKey)
		if (refusal !== null) {
			return c.json(refusalJson(refusal), refusal.status, { connection: 'close' })
		}
		await next()
	})
	if (local) localRoutes(app, context, control)
	const auth: AuthDoor = {
		place: door.place,
		addressOf: (c) => c.env.incoming.socket.remoteAddress ?? '',
	}
	app.route('/auth/v1', authRoutes(context, auth))
	app.route('/rest/v1', rpcRoutes(context))
	app.notFound((c) => c.json({ code: 'not_found', message: 'Not part of this backend' }, 404))
	app.onError((error, c) => {
		context.log(`a request failed: ${error.message}`)
		return c.json({ code: 'unexpected_failure', message: 'The backend could not do this' }, 500)
	})
	return app
}

/** For processes of this home: everybody who was let in has the key, so control has one of its own. */
function localRoutes(
	app: Hono<{ Bindings: Bindings }>,
	context: ServerContext,
	control: Control,
): void {
	const expected = controlKey(context.access)
	app.get('/health', (c) => {
		const challenge = c.req.query('challenge') ?? ''
		const good = /^[0-9a-f]{64}$/.test(challenge)
		const { access, start } = context
		return c.json({
			status: 'ok',
			version: context.version,
			start,
			pid: process.pid,
			proof: good ? proofOf(access, challenge, control.port(), start) : null,
		})
	})
	app.use('/control/*', async (c, next) => {
		if (!sameSecret(c.req.header('x-styrby-control') ?? '', expected)) {
			const message = 'Only this home controls its backend'
			return c.json({ code: 'control_refused', message }, 403)
		}
		await next()
	})
	app.get('/control/state', async (c) => {
		const storage = await readStorageState(context.engine)
		const { foreground } = control
		return c.json({ now: context.now(), storage, foreground, urls: control.urls() })
	})
	app.post('/control/stop', (c) => {
		setImmediate(control.onStop)
		return c.json({ pid: process.pid }, 202)
	})
	app.post('/control/join', (c) => {
		const { secret, expiresAt } = context.joins.issue()
		return c.json({ secret, expiresAt, token: control.joinToken(secret) })
	})
}

export function refusalJson({ code, message }: Refusal) {
	return { code, error_code: code, message, msg: message }
}
