/** `login --join`: a server of our own on another machine, by the token that it showed. */
import type { Endpoint } from '../../backend/client.ts'
import { reachBackend } from '../../backend/reach.ts'
import { signInByJoin } from '../../backend/sign-in.ts'
import { decodeJoinToken, type JoinToken } from '../../config/join-token.ts'
import { checkUrl } from '../../config/profiles.ts'
import { exit, StyrbyError } from '../../protocol/errors.ts'
import { openVault } from '../../vault/choose.ts'
import { endpointOf } from '../backend-of.ts'
import type { Flags } from '../command.ts'
import type { BasePlace } from '../context.ts'
import { isInteractive } from '../io.ts'
import { type Entered, enter } from './enter.ts'
import { readJoinToken } from './secrets.ts'

/** What belongs to other ways of signing in. */
const foreign = ['anon-key', 'email', 'password-file'] as const

/**
 * Throws `bad_join_token` (exit 2), `join_refused` (exit 3), `wrong_certificate` (exit 4),
 * `backend_unreachable` (exit 5), and what `enter` throws.
 */
export async function join(place: BasePlace, flags: Flags, given: string): Promise<Entered> {
	const { base, io, settings } = place
	const odd =
		foreign.find((name) => flags.text(name) !== undefined) ?? (flags.has('code') && 'code')
	if (odd) {
		throw new StyrbyError('bad_usage', `--join takes no --${odd}: the token says all of it.`, {
			exitCode: exit.usage,
		})
	}
	const token = decodeJoinToken(given === '-' ? await readJoinToken(io) : given)
	const url = flags.text('url')
	// Another way to the same server, such as a forwarded port: what is pinned stays pinned.
	const urls = url === undefined ? token.urls : [overTls(checkUrl(url))]
	const interactive = isInteractive(io)
	const vault = await openVault({ home: base, env: io.env, settings, interactive })
	const endpoint = await reachable(token, urls)
	const tokens = await signInByJoin(endpoint, token.secret)
	const found = {
		kind: 'embedded',
		url: endpoint.url,
		anonKey: token.key,
		certificate: token.pin,
		email: null,
	} as const
	return enter({ base, vault, found, tokens, newAccount: flags.has('new-account') })
}

function overTls(url: string): string {
	if (url.startsWith('https://')) return url
	throw new StyrbyError(
		'bad_usage',
		'A server that is joined speaks TLS: the address after --url begins with https://, a forwarded one too.',
		{ exitCode: exit.usage },
	)
}

/** The first address at which the server answers: the secret works once, and is sent to one of them only. */
async function reachable(token: JoinToken, urls: readonly string[]): Promise<Endpoint> {
	const endpoints = await Promise.all(
		urls.map((url) => endpointOf({ url, anonKey: token.key, certificate: token.pin })),
	)
	const [first, ...others] = endpoints
	if (first === undefined) throw new TypeError('a join token without an address')
	// Its own errors say more than that it was not reached.
	if (others.length === 0) return first
	const asked = endpoints.map(async (endpoint) => {
		if ((await reachBackend(endpoint)) === null) throw new Error('not reached')
		return endpoint
	})
	return Promise.any(asked).catch(() => first)
}
