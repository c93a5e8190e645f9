/**
 * What one machine shows for another to join its backend: where it is, how to know it, and a secret that
 * signs in once within ten minutes. It gives no keys.
 */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { base64 } from '../protocol/json.ts'
import { backendUrl, headerText } from './profiles.ts'

const schema = v.object({
	/** Base addresses of the one server, to be tried in this order. */
	urls: v.pipe(v.array(backendUrl), v.minLength(1), v.maxLength(32)),
	key: headerText,
	/** SHA-256 of its certificate; `null`: one that the system trusts. */
	pin: v.nullable(base64(32)),
	/** 32 bytes. */
	secret: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
})
export type JoinToken = v.InferOutput<typeof schema>

const prefix = 'styrby-join-'
const checkLength = 8
const longest = 8192

const checkOf = (body: string) =>
	createHash('sha256').update(`${prefix}${body}`).digest('base64url').slice(0, checkLength)

/** One word of letters, digits, `-` and `_`. */
export function encodeJoinToken(token: JoinToken): string {
	const body = Buffer.from(JSON.stringify(v.parse(schema, token))).toString('base64url')
	return `${prefix}${body}${checkOf(body)}`
}

/** Line breaks and spaces that came with copying do not count. Throws `bad_join_token` (exit 2). */
export function decodeJoinToken(text: string): JoinToken {
	const word = text.slice(0, longest).replaceAll(/\s+/g, '')
	const body = word.slice(prefix.length, -checkLength)
	if (!word.startsWith(prefix) || checkOf(body) !== word.slice(-checkLength)) throw malformed()
	try {
		return v.parse(schema, JSON.parse(Buffer.from(body, 'base64url').toString('utf8')))
	} catch {
		// The cause would quote the token.
		throw malformed()
	}
}

function malformed(): StyrbyError {
	return new StyrbyError(
		'bad_join_token',
		`That is no whole join token: copy all of the word that begins with ${prefix}, as "styrby-tui serve" printed it.`,
		{ exitCode: exit.usage },
	)
}
