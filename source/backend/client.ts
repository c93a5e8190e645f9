/** The one module that loads supabase-js. */
import type { Agent } from 'node:https'
import {
	createClient,
	type RealtimeClientOptions,
	type SupabaseClient,
} from '@supabase/supabase-js'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { boundedFetch } from './bounded-fetch.ts'

/** Where a backend is, and the key that everybody may know. */
export interface Endpoint {
	/** Base address, such as `https://example.supabase.co`. */
	url: string
	anonKey: string
	/** How to reach the one server that it may be (`pinnedTo`); else any that the system trusts. */
	pinned?: Pinned | null
}

/** Ways to a server that are sure of it before they send anything. */
export interface Pinned {
	fetch: typeof fetch
	WebSocket: NonNullable<RealtimeClientOptions['transport']>
	agent: Agent
}

/** Most of one answer, bytes. */
const maxAnswer = 64 * 1024 * 1024
/** Waits before the socket is opened again, ms, each ± 50 %; then always the last. */
const reconnectWaits = [200, 500, 1000, 2000, 5000, 10_000]
/** Sent to the server this often, ms; unanswered until the next one, the connection counts as lost. */
const heartbeatIntervalMs = 15_000

export type { SupabaseClient }
export type RealtimeChannel = ReturnType<SupabaseClient['channel']>

function checked({ url }: Endpoint): string {
	const base = URL.canParse(url) ? new URL(url) : null
	if (base && ['http:', 'https:'].includes(base.protocol)) return base.href.replace(/\/$/, '')
	throw new StyrbyError(
		'bad_backend_url',
		'The address of the backend must begin with http:// or https://.',
		{ exitCode: exit.usage },
	)
}

/** How this backend is asked. */
export function fetchOf({ pinned }: Endpoint): typeof fetch {
	return pinned?.fetch ?? fetch
}

/** A client that signs each request with what `accessToken` gives. Throws `bad_backend_url`. */
export function dataClient(
	endpoint: Endpoint,
	accessToken: () => Promise<string>,
	inner?: typeof fetch,
): SupabaseClient {
	let first = true
	return createClient(checked(endpoint), endpoint.anonKey, {
		accessToken: async () => {
			// The library asks once while it is made, and prints to the terminal when that fails.
			if (first) {
				first = false
				return null
			}
			return accessToken()
		},
		global: { fetch: boundedFetch(maxAnswer, inner ?? fetchOf(endpoint)) },
		db: { retry: false },
		realtime: {
			...(endpoint.pinned ? { transport: endpoint.pinned.WebSocket } : {}),
			heartbeatIntervalMs,
			// Given one, the library prints nothing to the terminal.
			logger: () => {},
			reconnectAfterMs: (tries: number) => {
				const wait = reconnectWaits[Math.min(tries, reconnectWaits.length) - 1] ?? 10_000
				return wait * (0.5 + Math.random())
			},
		},
	})
}

/** A client to sign in with: it keeps no session and renews nothing by itself. */
export function authClient(endpoint: Endpoint, inner: typeof fetch): SupabaseClient['auth'] {
	return createClient(checked(endpoint), endpoint.anonKey, {
		auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
		global: { fetch: inner },
	}).auth
}
