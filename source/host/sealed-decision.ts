/** A decision on its way between the disk and the session: sealed, as it holds what a person wrote. */
import * as v from 'valibot'
import { nonceSize, open, type RandomBytes, seal } from '../protocol/box.ts'
import { concat, fromBase64, toBase64 } from '../protocol/bytes.ts'
import type { SignedCommand } from '../protocol/command.ts'
import { refused } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import { base64, decodeJson, encodeJson, uuid, version } from '../protocol/json.ts'
import { pad, unpad } from '../protocol/padding.ts'
import type { SealedDecision } from './outbox.ts'

const schema = v.object({
	v: version,
	/** That the decision was made on. */
	request: uuid,
	decision: v.picklist(['allow', 'deny']),
	scope: v.picklist(['once', 'session']),
	reason: v.nullable(v.string()),
	device: uuid,
	command: v.object({ bytes: v.pipe(v.string(), v.base64()), signature: base64(64) }),
})
export type KeptDecision = Omit<v.InferOutput<typeof schema>, 'v' | 'command'> & {
	signed: SignedCommand
}

/** The answer to a request that is allowed by what was allowed for the session with another one. */
export function clearedBy(kept: KeptDecision): Omit<Body<'permission_response'>, 'request'> {
	const { request, device, signed } = kept
	return {
		result: 'approved',
		by: 'host',
		device,
		scope: 'session',
		reason: `It was allowed for this session with request ${request}.`,
		command: { bytes: toBase64(signed.bytes), signature: toBase64(signed.signature) },
	}
}

/** `key`: 32 bytes, of the epoch. */
export function sealDecision(
	{ signed, ...decision }: KeptDecision,
	{ epoch, key }: { epoch: number; key: Uint8Array },
	random: RandomBytes,
): SealedDecision {
	const nonce = random(nonceSize)
	const command = { bytes: toBase64(signed.bytes), signature: toBase64(signed.signature) }
	const plaintext = pad(encodeJson({ v: 1, ...decision, command }))
	return { epoch, sealed: concat(nonce, seal(plaintext, nonce, key)) }
}

/** Throws `decision_altered`, `malformed_decision`. */
export function openDecision({ sealed }: SealedDecision, key: Uint8Array): KeptDecision {
	const plaintext = open(sealed.subarray(nonceSize), sealed.subarray(0, nonceSize), key)
	if (!plaintext) throw refused('decision_altered', 'A decision kept on the disk does not open.')
	const { v: _, command, ...decision } = decodeJson(unpad(plaintext), schema, 'decision')
	const { bytes, signature } = command
	return {
		...decision,
		signed: { bytes: fromBase64(bytes), signature: fromBase64(signature, 64) },
	}
}
