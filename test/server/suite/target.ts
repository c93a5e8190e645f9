/** A running backend, whichever database it stands on, and clients of it: the unmodified supabase-js. */
import { request as httpRequest } from 'node:http'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { ensureSigningKey } from '../../../source/server/installation.ts'
import { openTokens } from '../../../source/server/tokens.ts'

export interface Target {
	readonly url: string
	readonly anonKey: string
	/** The backend's own folder, which has its signing key. */
	readonly folder: string
	/** Runs statements as the database's owner, past the API. */
	sql(text: string): Promise<void>
}

const clients: SupabaseClient[] = []

/** Ends the live channels of all clients. */
export async function closeClients(): Promise<void> {
	await Promise.all(clients.splice(0).map((client) => client.realtime.disconnect()))
}

export function newClient({ url, anonKey }: Target): SupabaseClient {
	const client = createClient(url, anonKey, {
		auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
		realtime: { logger: () => {}, reconnectAfterMs: () => 100 },
	})
	clients.push(client)
	return client
}

export interface Member {
	readonly client: SupabaseClient
	readonly id: string
	readonly token: string
	readonly refreshToken: string
}

export async function signUp(target: Target): Promise<Member> {
	const client = newClient(target)
	const { data, error } = await client.auth.signInAnonymously()
	if (error || !data.user || !data.session) throw error ?? new Error('no session')
	const { access_token: token, refresh_token: refreshToken } = data.session
	return { client, id: data.user.id, token, refreshToken }
}

/** The answer of a function; throws what the client says went wrong. */
export async function call(
	client: SupabaseClient,
	name: string,
	args: Record<string, unknown> = {},
): Promise<unknown> {
	const { data, error, status } = await client.rpc(name, args)
	if (error) throw Object.assign(new Error(error.message), { ...error, status })
	return data
}

/** What the client says of a call that fails: `status`, `code`, `message`, `details`. */
export async function refusal(work: Promise<unknown>): Promise<Record<string, unknown>> {
	try {
		await work
	} catch (error) {
		if (error instanceof Error) return { ...error, message: error.message }
		throw error
	}
	throw new Error('it was not refused')
}

/** A token that the backend itself signed, valid from `at` (ms since 1970) for an hour. */
export async function tokenFrom(target: Target, member: Member, at: number): Promise<string> {
	const tokens = await openTokens(await ensureSigningKey(target.folder), () => at)
	const claims: unknown = JSON.parse(
		Buffer.from(member.token.split('.')[1] ?? '', 'base64url').toString(),
	)
	const session = String(Reflect.get(Object(claims), 'session_id'))
	const identity = { user: member.id, session, email: null, anonymous: true }
	return (await tokens.sign(identity)).token
}

export interface Answer {
	readonly status: number
	readonly body: string
	readonly json: Record<string, unknown>
}

/** A request that no client library would make. */
export function rawRequest(
	target: Target,
	path: string,
	options: {
		method?: string
		headers?: Record<string, string>
		body?: string | Buffer
		/** Sends the body without saying how long it is. */
		chunked?: boolean
	} = {},
): Promise<Answer> {
	const { method = 'POST', headers = {}, body = '', chunked = false } = options
	return new Promise((resolve, reject) => {
		const request = httpRequest(new URL(path, target.url), {
			method,
			agent: false,
			headers: {
				apikey: target.anonKey,
				'content-type': 'application/json',
				...(chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
				...headers,
			},
		})
		let answered = false
		request.on('response', (response) => {
			answered = true
			let text = ''
			response.setEncoding('utf8').on('data', (chunk: string) => {
				text += chunk
			})
			response.on('end', () => {
				const isObject = text.startsWith('{')
				const json = isObject ? Object(JSON.parse(text)) : {}
				resolve({ status: response.statusCode ?? 0, body: text, json })
			})
		})
		// A server that refuses need not read the rest of what was sent.
		request.on('error', (error) => {
			if (!answered) reject(error)
		})
		request.end(body)
	})
}
