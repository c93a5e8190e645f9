/** One message (section 5.2): sealed with the key of its epoch, chained to the one before, signed by the host. */
import * as v from 'valibot'
import { open, seal } from './box.ts'
import { encodeUtf8, fromBase64, toBase64, u32, u64 } from './bytes.ts'
import { digest } from './digest.ts'
import { refused } from './errors.ts'
import { kinds } from './events.ts'
import {
	base64,
	decodeJson,
	encodeJson,
	epochNumber,
	isoTime,
	type LogHead,
	logHead,
	sequence,
	uuid,
	version,
} from './json.ts'
import { pad, unpad } from './padding.ts'
import { signFor, verifyFor } from './sign.ts'

/** A body's JSON text over this many bytes is split. */
export const partSize = 48 * 1024
/** A body may be this large in all, bytes; adapters cut what is longer before it comes here. */
export const maxBody = 16 * 1024 * 1024
/** A piece is up to 3 bytes short of `partSize`, since it ends with a whole character. */
const maxParts = Math.ceil(maxBody / (partSize - 3))

const anyFrame = v.object({
	v: version,
	session: uuid,
	/** 1 for the first message of a session. */
	seq: v.pipe(sequence, v.minValue(1)),
	epoch: epochNumber,
	/** Chain value before this message. */
	prev: base64(32),
	/** Signature of the message before; `null` for the first: so that no stored signature can be changed. */
	prev_signature: v.nullable(base64(64)),
	/** The device log as the host knew it: in its first message, and in the first after the log has changed. */
	log: v.exactOptional(logHead),
	at: isoTime,
	kind: v.picklist(kinds),
	/** A large body travels in `of` parts, 1 to `of`; then `body` is a piece of its JSON text. */
	part: v.exactOptional(v.pipe(sequence, v.minValue(1))),
	of: v.exactOptional(v.pipe(sequence, v.minValue(2), v.maxValue(maxParts))),
	body: v.unknown(),
})
export const frameSchema = v.pipe(
	anyFrame,
	v.check(({ part, of, body }) => {
		if (part === undefined || of === undefined) return part === of
		return part <= of && typeof body === 'string'
	}),
)
export type Frame = v.InferOutput<typeof frameSchema>

/** A message as it is stored: nonce 24 bytes, signature 64. */
export interface SealedMessage {
	session: string
	seq: number
	epoch: number
	nonce: Uint8Array
	ciphertext: Uint8Array
	signature: Uint8Array
}

/** Where a session's chain stands: after message `seq`, with its chain value and signature. */
export interface ChainState {
	seq: number
	chain: Uint8Array
	signature: Uint8Array | null
}

/** Before the first message: c₀ = SHA-256(D("chain") ‖ session id). */
export function chainStart(session: string): ChainState {
	return { seq: 0, chain: digest('chain', encodeUtf8(session)), signature: null }
}

/** cₙ = SHA-256(D("link") ‖ cₙ₋₁ ‖ u64 seq ‖ u32 epoch ‖ nonce ‖ ciphertext), 32 bytes. */
export function link(
	prev: Uint8Array,
	message: Pick<SealedMessage, 'seq' | 'epoch' | 'nonce' | 'ciphertext'>,
): Uint8Array {
	return digest(
		'link',
		prev,
		u64(message.seq),
		u32(message.epoch),
		message.nonce,
		message.ciphertext,
	)
}

/** What goes into a message besides its place. `part` counts from 1. */
export interface Content {
	at: string
	kind: Frame['kind']
	log?: LogHead
	part?: number
	of?: number
	body: unknown
}

/**
 * Seals the next message of a session. `key`: 32 bytes; `nonce`: 24 fresh random bytes. Returns it with
 * the chain after it and the exact JSON bytes inside, over which a request's digest is taken.
 */
export function sealMessage(
	session: string,
	chain: ChainState,
	content: Content,
	with_: { epoch: number; key: Uint8Array; signSecret: Uint8Array; nonce: Uint8Array },
): { message: SealedMessage; chain: ChainState; json: Uint8Array } {
	const seq = chain.seq + 1
	const { epoch, key, signSecret, nonce } = with_
	const json = encodeJson({
		v: 1,
		session,
		seq,
		epoch,
		prev: toBase64(chain.chain),
		prev_signature: chain.signature && toBase64(chain.signature),
		...(content.log === undefined ? {} : { log: content.log }),
		at: content.at,
		kind: content.kind,
		...(content.of === undefined ? {} : { part: content.part, of: content.of }),
		body: content.body,
	})
	const ciphertext = seal(pad(json), nonce, key)
	const next = link(chain.chain, { seq, epoch, nonce, ciphertext })
	const signature = signFor('message', signSecret, next)
	const message = { session, seq, epoch, nonce, ciphertext, signature }
	return { message, chain: { seq, chain: next, signature }, json }
}

export interface OpenedMessage {
	frame: Frame
	/** The exact bytes that were sealed. */
	json: Uint8Array
	/** cₙ, computed from the row and the `prev` inside it. */
	chain: Uint8Array
}

/**
 * Decrypts one message and checks that it is the one its row says. It proves nothing yet about who wrote
 * it: see `isSigned` and `checkWindow`. Throws `message_altered`, `message_moved`,
 * `malformed_message`, `malformed_padding`, `newer_version`.
 */
export function openMessage(message: SealedMessage, key: Uint8Array): OpenedMessage {
	const plaintext = open(message.ciphertext, message.nonce, key)
	if (!plaintext)
		throw refused('message_altered', 'changed on the server, or sealed with another key')
	const json = unpad(plaintext)
	const frame = decodeJson(json, frameSchema, 'message')
	const { session, seq, epoch } = frame
	if (session !== message.session || seq !== message.seq || epoch !== message.epoch) {
		throw refused(
			'message_moved',
			`moved here from #${seq} of ${session === message.session ? 'this' : 'another'} session`,
		)
	}
	return { frame, json, chain: link(fromBase64(frame.prev, 32), message) }
}

/** Whether the host's signature is over this message's chain value. `signPublic`: 32 bytes. */
export function isSigned(
	chain: Uint8Array,
	signature: Uint8Array,
	signPublic: Uint8Array,
): boolean {
	return verifyFor('message', signPublic, signature, chain)
}
