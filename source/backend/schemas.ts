/** The shapes of what a server may answer. Sizes are bounded: a hostile server gains nothing by them. */
import * as v from 'valibot'
import { isoTime, uuid } from '../protocol/json.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const amount = v.pipe(v.number(), v.finite())
const word = v.pipe(v.string(), v.maxLength(64))
/** As the server writes times; what they say is checked against what is sealed. */
const time = v.pipe(isoTime, v.maxLength(40))

/** Base64 of at most `most` bytes. The bytes themselves are checked where they are used. */
const base64 = (most: number) =>
	v.pipe(v.string(), v.maxLength(Math.ceil(most / 3) * 4), v.regex(/^[A-Za-z0-9+/]*={0,2}$/))

const nonce = base64(24)
const signature = base64(64)
const scope = v.pipe(v.string(), v.maxLength(50))

export const logRow = v.object({ seq: count, entry: base64(65_536), signature })
export const logRows = v.pipe(v.array(logRow), v.maxLength(1000))

export const machineKeys = v.pipe(
	v.array(
		v.object({
			device: uuid,
			box: base64(32),
			sign: base64(32),
			kind: word,
			added_at: time,
			revoked_at: v.nullable(time),
			last_seen_at: v.nullable(time),
		}),
	),
	v.maxLength(10_000),
)

export const sealed = v.object({ epoch: count, nonce, ciphertext: base64(6144) })

export const sessionRow = v.object({
	id: uuid,
	agent: word,
	status: word,
	project: v.nullable(v.pipe(v.string(), v.maxLength(400))),
	label: v.nullable(sealed),
	host: uuid,
	started_at: time,
	last_activity_at: time,
	ended_at: v.nullable(time),
	last_seq: count,
	pending: count,
	tokens: v.object({ input: count, output: count, cache_read: count, cache_write: count }),
	cost_usd: amount,
})
export const maybeSessionRow = v.nullable(sessionRow)
export const sessionRows = v.pipe(v.array(sessionRow), v.maxLength(500))

export const keys = v.object({
	epochs: v.pipe(
		v.array(v.object({ scope, epoch: count, record: base64(4096), signature })),
		v.maxLength(100_000),
	),
	grants: v.pipe(
		v.array(
			v.object({
				scope,
				epoch: count,
				to: uuid,
				by: uuid,
				nonce,
				ciphertext: base64(4096),
				created_at: time,
			}),
		),
		v.maxLength(100_000),
	),
})

export const keyGaps = v.object({ scopes: v.pipe(v.array(scope), v.maxLength(500)), left: count })
export const access = v.object({
	scopes: v.pipe(
		v.array(
			v.object({
				scope,
				epochs: count,
				grants: v.pipe(
					v.array(v.object({ epoch: count, to: uuid, by: uuid, created_at: time })),
					v.maxLength(100_000),
				),
			}),
		),
		v.maxLength(200),
	),
	more: v.boolean(),
})
export const accessCounts = v.pipe(
	v.array(v.object({ device: uuid, sessions: count })),
	v.maxLength(20_000),
)

const pairing = { id: base64(16), nonce, ciphertext: base64(16_384) }
export const maybePairing = v.nullable(
	v.object({
		...pairing,
		created_at: time,
		answer: v.nullable(v.object({ nonce, ciphertext: pairing.ciphertext })),
	}),
)

export const messageRow = v.object({
	session_id: uuid,
	seq: count,
	epoch: count,
	nonce,
	ciphertext: base64(262_144),
	signature,
	created_at: time,
	input_tokens: count,
	output_tokens: count,
	cache_read_tokens: count,
	cache_write_tokens: count,
	cost_usd: amount,
})
/** Each row is checked by itself, so that one of them can't hide the others. */
export const messagePage = v.object({
	rows: v.pipe(v.array(v.unknown()), v.maxLength(500)),
	more: v.boolean(),
})

export const appended = v.object({ last_seq: count })

export const requestRow = v.object({
	id: uuid,
	session: uuid,
	seq: count,
	status: word,
	created_at: time,
	expires_at: time,
	closed_at: v.nullable(time),
})
export const maybeRequestRow = v.nullable(requestRow)
export const requestRows = v.pipe(v.array(requestRow), v.maxLength(500))

export const mailRow = v.object({
	id: uuid,
	session: uuid,
	from: uuid,
	to: uuid,
	nonce,
	ciphertext: base64(262_144),
	created_at: time,
})
export const mailPage = v.object({
	mail: v.pipe(v.array(mailRow), v.maxLength(200)),
	more: v.boolean(),
})

export const nothing = v.nullish(v.union([v.null(), v.literal('')]))
export const schemaVersion = v.pipe(v.number(), v.safeInteger())

/** Payloads of broadcasts, by event. */
export const messagesHint = v.object({
	session: uuid,
	from: count,
	to: count,
	rows: v.nullable(v.pipe(v.array(messageRow), v.maxLength(500))),
})
export const frameHint = v.object({ nonce, ciphertext: base64(262_144), signature })
export const heartbeatHint = v.object({ bytes: base64(8192), signature })
export const sessionsHint = v.object({ session: uuid })
export const logHint = v.object({ seq: count })
export const requestHint = v.object({ request: uuid, session: uuid, status: word })
/** Without the mail itself when that is large. */
export const mailHint = v.object({ mail: v.nullable(mailRow) })
