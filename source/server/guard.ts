import { sameSecret } from './installation.ts'

/** What a request brings that says whether it may be looked at, the same for HTTP and WebSocket. */
export interface Credentials {
	readonly host: string | undefined
	readonly origin: string | undefined
	readonly apikey: string | undefined
	/** What this server is called beside the names of the loopback interface. */
	readonly names?: readonly string[]
}

export interface Refusal {
	readonly status: 400 | 401 | 403
	readonly code: string
	readonly message: string
}

const ownHosts = new Set(['127.0.0.1', 'localhost', '[::1]'])

/**
 * The port is open to every user and every browser of the machine. A browser names its Origin, and a
 * name that was made to point at this machine (DNS rebinding) shows in Host. The port in Host is not
 * compared: it may be forwarded.
 */
export function refuseStranger({
	host,
	origin,
	names = [],
}: Omit<Credentials, 'apikey'>): Refusal | null {
	if (origin !== undefined) {
		return { status: 403, code: 'origin_refused', message: 'Browsers are not served here.' }
	}
	const name = (host ?? '').toLowerCase().replace(/:\d{1,5}$/, '')
	if (!ownHosts.has(name) && !names.includes(name)) {
		return { status: 403, code: 'host_refused', message: 'This server has another name.' }
	}
	return null
}

/** Null when the request carries this installation's key and does not come from a browser. */
export function refuseRequest(credentials: Credentials, anonKey: string): Refusal | null {
	const stranger = refuseStranger(credentials)
	if (stranger !== null) return stranger
	if (credentials.apikey === undefined || credentials.apikey === '') {
		return { status: 401, code: 'no_api_key', message: 'No API key found in request' }
	}
	if (!sameSecret(credentials.apikey, anonKey)) {
		return { status: 401, code: 'invalid_api_key', message: 'Invalid API key' }
	}
	return null
}
