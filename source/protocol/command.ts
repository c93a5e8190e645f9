/** Decisions and commands to a host (section 6): signed by the device, boxed for the host. */
import * as v from 'valibot'
import { open, seal } from './box.ts'
import { toHex } from './bytes.ts'
import { digest } from './digest.ts'
import { refused } from './errors.ts'
import { decodeJson, encodeJson, isoTime, logHead, uuid, version } from './json.ts'
import { padSigned, unpad } from './padding.ts'
import { assertSigned, signatureSize, signFor, verifyFor } from './sign.ts'

const common = {
	v: version,
	/** The command's own id: a host takes each only once. */
	id: uuid,
	session: uuid,
	to: uuid,
	by: uuid,
	at: isoTime,
	/** The device log as the sender knows it: the host gets that far before it judges. */
	log: logHead,
}

export const decisionSchema = v.object({
	request: uuid,
	/** Hex of `requestDigest`: the person decided on what was shown, and on nothing else. */
	digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
	decision: v.picklist(['allow', 'deny']),
	scope: v.picklist(['once', 'session']),
	reason: v.optional(v.pipe(v.string(), v.maxLength(4000))),
	/** Only when the person edited the input, or answered a question, and saw the result. */
	input: v.optional(v.unknown()),
})
export type DecisionBody = v.InferOutput<typeof decisionSchema>

export const commandSchema = v.variant('kind', [
	v.object({ ...common, kind: v.literal('decision'), body: decisionSchema }),
	v.object({
		...common,
		kind: v.literal('prompt'),
		body: v.object({ text: v.pipe(v.string(), v.maxLength(100_000)) }),
	}),
	v.object({ ...common, kind: v.literal('interrupt'), body: v.strictObject({}) }),
	v.object({
		...common,
		kind: v.literal('mode'),
		body: v.object({ mode: v.pipe(v.string(), v.maxLength(100)) }),
	}),
	v.object({
		...common,
		kind: v.literal('take_back'),
		/** The decision that allowed something for the session; `null`: all of them. */
		body: v.object({ grant: v.nullable(uuid) }),
	}),
])
export type Command = v.InferOutput<typeof commandSchema>
type WithoutVersion<T> = T extends Command ? Omit<T, 'v'> : never
export type UnsignedCommand = WithoutVersion<Command>

/** The digest of a denial by a device that could not open the request. */
export const unseenDigest = '0'.repeat(64)

/** A command's signed bytes, and the device's signature (64 bytes). */
export interface SignedCommand {
	bytes: Uint8Array
	signature: Uint8Array
}

/**
 * What a decision is bound to (section 6): SHA-256(D("request") ‖ JSON bytes of the request's message),
 * hex. A request in several parts: the bytes of all of them, in order.
 */
export function requestDigest(jsons: readonly Uint8Array[]): string {
	return toHex(digest('request', ...jsons))
}

export function signCommand(command: UnsignedCommand, signSecret: Uint8Array): SignedCommand {
	const bytes = encodeJson({ v: 1, ...command })
	return { bytes, signature: signFor('command', signSecret, bytes) }
}

/** Boxes a signed command: signature ‖ padded bytes. `shared`: `sharedKey(host, own)`; nonce fresh. */
export function sealCommand(
	signed: SignedCommand,
	shared: Uint8Array,
	nonce: Uint8Array,
): { nonce: Uint8Array; ciphertext: Uint8Array } {
	return { nonce, ciphertext: seal(padSigned(signed.signature, signed.bytes), nonce, shared) }
}

/** Opens the box only. Throws `command_altered`, `malformed_padding`. */
export function openCommand(
	sealed: { nonce: Uint8Array; ciphertext: Uint8Array },
	shared: Uint8Array,
): SignedCommand {
	const plaintext = open(sealed.ciphertext, sealed.nonce, shared)
	if (!plaintext || plaintext.length < signatureSize) {
		throw refused('command_altered', 'A command to this host does not open.')
	}
	return {
		signature: plaintext.slice(0, signatureSize),
		bytes: unpad(plaintext.subarray(signatureSize)),
	}
}

/**
 * Checks the device's signature, then reads the command. `signPublic` (32 bytes) is the key of the device
 * that the verified log has for `by`. Throws `command_bad_signature`, `command_foreign`,
 * `malformed_command`, `newer_version`.
 */
export function checkCommand(signed: SignedCommand, by: string, signPublic: Uint8Array): Command {
	assertSigned(
		verifyFor('command', signPublic, signed.signature, signed.bytes),
		'command_bad_signature',
		'a command',
	)
	const command = decodeJson(signed.bytes, commandSchema, 'command')
	if (command.by !== by) {
		throw refused('command_foreign', 'A command was signed by another device than it says.')
	}
	return command
}
