/**
 * What a Supabase project has beyond our own server: sign-in codes sent by e-mail, as GoTrue does it; all
 * else goes to a server of ours. It can also play a project that lacks our functions.
 */
import { randomInt } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import * as v from 'valibot'

const otpSchema = v.object({ email: v.string() })
const verifySchema = v.object({
	type: v.literal('email'),
	email: v.string(),
	token: v.string(),
})
const sessionSchema = v.object({ user: v.object({ id: v.string() }) })

export interface MailingOptions {
	url: string
	anonKey: string
}

/** Lets a WebSocket through to the server behind, byte for byte. */
function tunnel(target: URL, request: IncomingMessage, socket: Duplex, head: Buffer): void {
	const { method, url, rawHeaders } = request
	const lines = [`${method} ${url} HTTP/1.1`]
	for (let at = 0; at < rawHeaders.length; at += 2) {
		lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
	}
	const server = connect(Number(target.port), target.hostname, () => {
		server.write(`${lines.join('\r\n')}\r\n\r\n`)
		server.write(head)
		server.pipe(socket).pipe(server)
	})
	for (const [one, other] of [
		[server, socket],
		[socket, server],
	] as const) {
		one.on('error', () => other.destroy())
		one.on('close', () => other.destroy())
	}
}

export class MailingBackend implements AsyncDisposable {
	readonly #target: MailingOptions
	readonly #server: Server
	readonly #passwords = new Map<string, string>()
	readonly #sockets = new Set<Duplex>()
	/** The codes that wait in the mail, by address. */
	readonly mail = new Map<string, string>()
	/** Path and query of each request. */
	readonly asked: string[] = []
	/** The address of the account that refreshing a sign-in leads to, where a hostile server says so. */
	refreshesAs: string | null = null
	/** Whether functions are there, as PostgREST sees it. */
	functions: 'there' | 'none' | 'older' = 'there'

	private constructor(target: MailingOptions, server: Server) {
		this.#target = target
		this.#server = server
	}

	static async start(target: MailingOptions): Promise<MailingBackend> {
		const server = createServer()
		const mailing = new MailingBackend(target, server)
		server.on('request', (request, response) => {
			mailing.#answer(request, response).catch((error: Error) => response.destroy(error))
		})
		server.on('upgrade', (request, socket, head) => {
			mailing.#sockets.add(socket)
			socket.on('close', () => mailing.#sockets.delete(socket))
			tunnel(new URL(target.url), request, socket, head)
		})
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		return mailing
	}

	get url(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
	}

	get anonKey(): string {
		return this.#target.anonKey
	}

	/** Makes an account with a password, and gives its id. */
	async signUp(email: string, password: string): Promise<string> {
		const answer = await this.#pass('/auth/v1/signup', JSON.stringify({ email, password }))
		this.#passwords.set(email, password)
		return v.parse(sessionSchema, await answer.json()).user.id
	}

	#pass(path: string, body: string): Promise<Response> {
		const headers = { apikey: this.#target.anonKey, 'content-type': 'application/json' }
		return fetch(`${this.#target.url}${path}`, { method: 'POST', headers, body })
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const { url = '/', method = 'GET' } = request
		const chunks: Buffer[] = []
		for await (const chunk of request) chunks.push(Buffer.from(chunk))
		const body = Buffer.concat(chunks).toString()
		this.asked.push(url)
		const path = url.split('?')[0]
		const say = (status: number, value: unknown) => {
			response.writeHead(status, { 'content-type': 'application/json' })
			response.end(JSON.stringify(value))
		}
		if (path === '/auth/v1/otp') {
			const { email } = v.parse(otpSchema, JSON.parse(body))
			this.mail.set(email, String(randomInt(100_000, 1_000_000)))
			return say(200, {})
		}
		if (path === '/auth/v1/verify') {
			const { email, token } = v.parse(verifySchema, JSON.parse(body))
			const right = this.mail.get(email) === token
			if (!right) {
				const msg = 'Token has expired or is invalid'
				return say(403, { code: 403, error_code: 'otp_expired', msg })
			}
			this.mail.delete(email)
			const password = this.#passwords.get(email)
			const credentials = JSON.stringify({ email, password })
			return relay(await this.#pass('/auth/v1/token?grant_type=password', credentials), response)
		}
		if (url === '/auth/v1/token?grant_type=refresh_token' && this.refreshesAs !== null) {
			const email = this.refreshesAs
			const credentials = JSON.stringify({ email, password: this.#passwords.get(email) })
			return relay(await this.#pass('/auth/v1/token?grant_type=password', credentials), response)
		}
		if (path?.startsWith('/rest/v1/rpc/')) {
			const version = path.endsWith('/schema_version')
			if (this.functions === 'older' && version) return say(200, 0)
			if (this.functions !== 'there') {
				const message = `Could not find the function public.${path.slice(13)} in the schema cache`
				return say(404, { code: 'PGRST202', message, details: null, hint: null })
			}
		}
		const { authorization, apikey, 'content-type': type } = request.headers
		const headers = Object.entries({ authorization, apikey, 'content-type': type }).flatMap(
			([name, value]): [string, string][] => (typeof value === 'string' ? [[name, value]] : []),
		)
		const sent = method === 'GET' ? {} : { body }
		await relay(await fetch(this.#target.url + url, { method, headers, ...sent }), response)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const closed = new Promise((resolve) => this.#server.close(resolve))
		this.#server.closeAllConnections()
		for (const socket of this.#sockets) socket.destroy()
		await closed
	}
}

async function relay(answer: Response, response: ServerResponse): Promise<void> {
	const type = answer.headers.get('content-type')
	response.writeHead(answer.status, type === null ? {} : { 'content-type': type })
	response.end(Buffer.from(await answer.arrayBuffer()))
}
