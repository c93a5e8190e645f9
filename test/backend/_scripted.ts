/** The client library over a server that answers what a test says. */
import { dataClient } from '../../source/backend/client.ts'
import { Rpc, requiredSchema } from '../../source/backend/rpc.ts'

export interface Call {
	name: string
	args: Record<string, unknown>
}

/** A value is answered as JSON; a `Response` as it is; what is thrown cuts the line. */
export type Answer = (call: Call, count: number) => unknown

export function json(value: unknown, status = 200): Response {
	const headers = { 'content-type': 'application/json' }
	return new Response(JSON.stringify(value), { status, headers })
}

/** What PostgREST makes of an exception of ours. */
export function raised(code: string, details: unknown = {}): Response {
	const body = { code: 'P0001', message: code, details: JSON.stringify(details), hint: null }
	return json(body, 400)
}

/** `answer` is asked for every call but that for the version; `version` answers that. */
export function scriptedRpc(answer: Answer, version: () => unknown = () => requiredSchema) {
	const calls: Call[] = []
	const closing = new AbortController()
	const accessToken = async () => 'token'
	const fetcher: typeof fetch = async (input, init) => {
		const signal = init?.signal
		const name = new URL(String(input)).pathname.replace('/rest/v1/rpc/', '')
		const call = { name, args: JSON.parse(String(init?.body ?? '{}')) }
		calls.push(call)
		const count = calls.filter((other) => other.name === name).length
		const given = name === 'schema_version' ? version() : answer(call, count)
		const aborted = new Promise<never>((_, reject) => {
			signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
		})
		const value = await Promise.race([given, aborted])
		return value instanceof Response ? value : json(value)
	}
	const client = dataClient({ url: 'http://backend.test', anonKey: 'anon' }, accessToken, fetcher)
	const rpc = new Rpc({ client, accessToken, signal: closing.signal })
	return { rpc, calls, close: () => closing.abort() }
}
