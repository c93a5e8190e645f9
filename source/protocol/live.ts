/** What is sent but not stored (sections 5.6 and 5.7): text while it is written, and heartbeats. */
import * as v from 'valibot'
import { open, seal } from './box.ts'
import { refused } from './errors.ts'
import {
	base64,
	decodeJson,
	encodeJson,
	epochNumber,
	isoTime,
	logHead,
	sequence,
	uuid,
	version,
} from './json.ts'
import { pad, unpad } from './padding.ts'
import { assertSigned, signFor, verifyFor } from './sign.ts'

export const textFrameSchema = v.object({
	v: version,
	session: uuid,
	epoch: epochNumber,
	/** Id of the block of text; the message that replaces it carries the same. */
	block: v.pipe(v.string(), v.maxLength(200)),
	/** Counts the frames of a session: an older one that comes late is dropped. */
	n: sequence,
	kind: v.picklist(['agent_response', 'agent_thinking']),
	/** Where `text` stands in the block, in UTF-16 units. */
	offset: sequence,
	text: v.string(),
})
export type TextFrame = v.InferOutput<typeof textFrameSchema>

export interface SealedFrame {
	nonce: Uint8Array
	ciphertext: Uint8Array
	signature: Uint8Array
}

/** nonce: 24 fresh random bytes; key: 32 bytes, of the frame's epoch. */
export function sealTextFrame(
	frame: Omit<TextFrame, 'v'>,
	key: Uint8Array,
	signSecret: Uint8Array,
	nonce: Uint8Array,
): SealedFrame {
	const ciphertext = seal(pad(encodeJson({ v: 1, ...frame })), nonce, key)
	return { nonce, ciphertext, signature: signFor('frame', signSecret, nonce, ciphertext) }
}

/** Throws `frame_bad_signature`, `frame_altered`, `frame_moved`, `malformed_frame`, `newer_version`. */
export function openTextFrame(
	sealed: SealedFrame,
	session: string,
	key: Uint8Array,
	signPublic: Uint8Array,
): TextFrame {
	const { nonce, ciphertext, signature } = sealed
	assertSigned(
		verifyFor('frame', signPublic, signature, nonce, ciphertext),
		'frame_bad_signature',
		'a live frame',
	)
	const plaintext = open(ciphertext, nonce, key)
	if (!plaintext) throw refused('frame_altered', 'A live frame does not open.')
	const frame = decodeJson(unpad(plaintext), textFrameSchema, 'frame')
	if (frame.session !== session) throw refused('frame_moved', 'A live frame belongs elsewhere.')
	return frame
}

export const heartbeatSchema = v.object({
	v: version,
	session: uuid,
	/** Last message, and the chain value after it: a viewer that has fewer is being denied some. */
	seq: sequence,
	chain: base64(32),
	log: logHead,
	at: isoTime,
})
export type Heartbeat = v.InferOutput<typeof heartbeatSchema>

/** Heartbeats of a live session, ms apart. */
export const heartbeatInterval = 15_000
/** A host that was silent for longer is shown as stale, ms. */
export const staleAfter = 45_000

export interface SignedHeartbeat {
	bytes: Uint8Array
	signature: Uint8Array
}

export function signHeartbeat(
	heartbeat: Omit<Heartbeat, 'v'>,
	signSecret: Uint8Array,
): SignedHeartbeat {
	const bytes = encodeJson({ v: 1, ...heartbeat })
	return { bytes, signature: signFor('heartbeat', signSecret, bytes) }
}

/** Throws `heartbeat_bad_signature`, `frame_moved`, `malformed_heartbeat`, `newer_version`. */
export function checkHeartbeat(
	signed: SignedHeartbeat,
	session: string,
	signPublic: Uint8Array,
): Heartbeat {
	assertSigned(
		verifyFor('heartbeat', signPublic, signed.signature, signed.bytes),
		'heartbeat_bad_signature',
		'a heartbeat',
	)
	const heartbeat = decodeJson(signed.bytes, heartbeatSchema, 'heartbeat')
	if (heartbeat.session !== session) throw refused('frame_moved', 'A heartbeat belongs elsewhere.')
	return heartbeat
}
