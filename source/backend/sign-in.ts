/** Signing in to a backend, embedded or Supabase. */
import type { AuthError } from '@supabase/supabase-js'
import * as v from 'valibot'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { uuid } from '../protocol/json.ts'
import { boundedFetch } from './bounded-fetch.ts'
import { authClient, type Endpoint, fetchOf } from './client.ts'
import { malformedAnswer, noAnswer, notSignedIn, unreachable } from './failure.ts'

/** What a sign-in gives. `expires_at`: seconds since 1970, by this machine's clock. */
export interface Tokens {
	access_token: string
	refresh_token: string
	expires_at: number
	user_id: string
}

const token = (most: number) => v.pipe(v.string(), v.nonEmpty(), v.maxLength(most))

const answerSchema = v.object({
	access_token: token(8192),
	refresh_token: token(4096),
	expires_in: v.pipe(v.number(), v.minValue(1), v.maxValue(10 * 365 * 24 * 3600)),
	user: v.object({ id: uuid }),
})
const accountSchema = v.object({ user: v.object({ id: uuid }) })

type Auth = ReturnType<typeof authClient>
type Answer = { data: { session: unknown }; error: AuthError | null }

/** Time of one request, ms. */
const patience = 15_000
/** Most of one answer, bytes. */
const maxAnswer = 1024 * 1024

/** Makes a new account without a name. Throws `anonymous_sign_in_off`, `sign_in_refused`. */
export function signUpAnonymously(endpoint: Endpoint): Promise<Tokens> {
	return signIn(endpoint, (auth) => auth.signInAnonymously())
}

/**
 * Signs in to the account of a server of our own with the secret of a join token, which works once.
 * `account`: the only one that it may be. Throws
 * `join_refused` (exit 3) when it was used or is too old, `sign_in_too_often`, `wrong_certificate` (exit 4).
 */
export async function signInByJoin(
	endpoint: Endpoint,
	secret: string,
	account?: string,
): Promise<Tokens> {
	let answer: Response
	try {
		answer = await answered(endpoint, `${endpoint.url}/auth/v1/join`, {
			method: 'POST',
			headers: { apikey: endpoint.anonKey, 'content-type': 'application/json' },
			body: JSON.stringify({ secret, account }),
		})
	} catch (error) {
		throw noAnswer(error)
	}
	if (answer.ok) return tokensOf(await answer.json())
	await answer.body?.cancel()
	if (answer.status === 429) throw tooOften()
	throw new StyrbyError(
		'join_refused',
		'The server does not take this join token: it works once and for ten minutes; get a new one with "styrby-tui serve --join-token" on that machine.',
		{ exitCode: exit.notSignedIn, cause: new Error(`status ${answer.status}`) },
	)
}

/** Throws `sign_in_refused` (exit 3). */
export function signInWithPassword(
	endpoint: Endpoint,
	credentials: { email: string; password: string },
): Promise<Tokens> {
	return signIn(endpoint, (auth) => auth.signInWithPassword(credentials))
}

/** Has a code sent by e-mail. Throws `sign_in_too_often`, `sign_in_refused`. */
export async function sendEmailCode(endpoint: Endpoint, email: string): Promise<void> {
	await request(endpoint, async (auth) => {
		const { error } = await auth.signInWithOtp({ email })
		return { data: null, error }
	})
}

/** Throws `sign_in_refused` when the code is wrong or too old. */
export function signInWithEmailCode(
	endpoint: Endpoint,
	answer: { email: string; code: string },
): Promise<Tokens> {
	const { email, code } = answer
	return signIn(endpoint, (auth) => auth.verifyOtp({ email, token: code, type: 'email' }))
}

/** Exchanges a refresh token, which works once. Throws `not_signed_in` when it does no longer. */
export async function refreshTokens(endpoint: Endpoint, refreshToken: string): Promise<Tokens> {
	try {
		return await signIn(endpoint, (auth) => auth.refreshSession({ refresh_token: refreshToken }))
	} catch (error) {
		if (error instanceof StyrbyError && error.code === 'sign_in_refused') throw notSignedIn(error)
		throw error
	}
}

/** The account of a sign-in that still stands on the server. Throws `not_signed_in`. */
export async function currentAccount(endpoint: Endpoint, accessToken: string): Promise<string> {
	try {
		const data = await request<unknown>(endpoint, (auth) => auth.getUser(accessToken))
		const answer = v.safeParse(accountSchema, data)
		if (!answer.success) throw malformedAnswer('who is signed in')
		return answer.output.user.id
	} catch (error) {
		if (error instanceof StyrbyError && error.code === 'sign_in_refused') throw notSignedIn(error)
		throw error
	}
}

/** Ends this sign-in on the server; those of other devices stay. */
export async function signOut(endpoint: Endpoint, accessToken: string): Promise<void> {
	await request(endpoint, (auth) => auth.admin.signOut(accessToken, 'local'))
}

async function signIn(endpoint: Endpoint, work: (auth: Auth) => Promise<Answer>): Promise<Tokens> {
	const { session } = await request(endpoint, work)
	return tokensOf(session)
}

function tokensOf(session: unknown): Tokens {
	const answer = v.safeParse(answerSchema, session)
	if (!answer.success) {
		// The message only: the answer may hold tokens.
		throw malformedAnswer('the sign-in', new Error(v.summarize(answer.issues).slice(0, 200)))
	}
	const { access_token, refresh_token, expires_in, user } = answer.output
	const expires_at = Math.floor(Date.now() / 1000 + expires_in)
	return { access_token, refresh_token, expires_at, user_id: user.id }
}

async function request<T>(
	endpoint: Endpoint,
	work: (auth: Auth) => Promise<{ data: T; error: AuthError | null }>,
): Promise<T> {
	let cut: unknown = null
	const auth = authClient(endpoint, async (input, init) => {
		try {
			return await answered(endpoint, input, init)
		} catch (error) {
			// The library would try for half a minute; a status that it takes for final ends it now.
			cut = error
			return new Response('{"code":"unreachable"}', { status: 418 })
		}
	})
	const { data, error } = await work(auth)
	if (cut !== null) throw noAnswer(cut)
	if (error) throw refusal(error)
	return data
}

/** A whole answer. Throws where there is none that the library could do more with than ask again. */
async function answered(
	endpoint: Endpoint,
	...[input, init]: Parameters<typeof fetch>
): Promise<Response> {
	const asked = { ...init, signal: AbortSignal.timeout(patience) }
	const response = await boundedFetch(maxAnswer, fetchOf(endpoint))(input, asked)
	const body = await response.text()
	const { status, headers } = response
	if (status >= 500) throw new Error(`status ${status}`)
	if (body === '') return new Response(null, { status, headers })
	JSON.parse(body)
	return new Response(body, { status, headers })
}

function refusal(error: AuthError): StyrbyError {
	const status = error.status ?? 0
	const code = /^[a-z0-9_]{1,60}$/.test(error.code ?? '') ? String(error.code) : `status ${status}`
	const cause = new Error(`${status} ${code}`)
	if (status === 0 || [502, 503, 504].includes(status)) return unreachable(cause)
	if (status === 429) return tooOften(cause)
	if (code === 'anonymous_provider_disabled') {
		return new StyrbyError(
			'anonymous_sign_in_off',
			'The backend takes no accounts without a name: sign in with an e-mail address.',
			{ exitCode: exit.notSignedIn, cause },
		)
	}
	return new StyrbyError(
		'sign_in_refused',
		`The backend refuses the sign-in (${code}): check the address, the key and what was typed.`,
		{ exitCode: exit.notSignedIn, cause },
	)
}

function tooOften(cause?: unknown): StyrbyError {
	return new StyrbyError(
		'sign_in_too_often',
		'The backend takes no more sign-ins just now: wait a few minutes and repeat.',
		{ exitCode: exit.notSignedIn, cause },
	)
}
