/** Epoch records and grants (section 4): who made a key, and handing it to devices. */
import * as v from 'valibot'
import { open, seal } from './box.ts'
import { fromBase64, toBase64 } from './bytes.ts'
import type { Device, DeviceRecord } from './device.ts'
import { type LogState, passesThrough } from './device-log.ts'
import { digest } from './digest.ts'
import { refused } from './errors.ts'
import {
	base64,
	decodeJson,
	encodeJson,
	epochNumber,
	type LogHead,
	logHead,
	sequence,
	uuid,
	version,
} from './json.ts'
import { chainStart } from './message.ts'
import { pad, unpad } from './padding.ts'
import { type Scope, scopeSchema, sessionOf } from './scope.ts'
import { assertSigned, signFor, verifyFor } from './sign.ts'

export const epochSchema = v.object({
	v: version,
	scope: scopeSchema,
	epoch: epochNumber,
	by: uuid,
	/** SHA-256(D("key") ‖ key): a grant with another key is recognised. */
	key: base64(32),
	/** The device log as its maker knew it. */
	log: logHead,
	/** First sequence number of the epoch, and the chain value before it. The account scope: 0 and zeros. */
	from: sequence,
	prev: base64(32),
})
export type EpochRecord = v.InferOutput<typeof epochSchema>

/** An epoch record as it travels: the signed bytes, and the signature (64 bytes). */
export interface SignedEpoch {
	record: Uint8Array
	signature: Uint8Array
}

/** SHA-256(D("key") ‖ key), base64. */
export function keyHash(key: Uint8Array): string {
	return toBase64(digest('key', key))
}

/** Signs the record of an epoch whose key (32 bytes) is `key`. `prev`: 32 bytes. */
export function makeEpoch(
	device: Device,
	epoch: {
		scope: Scope
		epoch: number
		key: Uint8Array
		log: LogHead
		from: number
		prev: Uint8Array
	},
): SignedEpoch {
	const record = encodeJson({
		v: 1,
		scope: epoch.scope,
		epoch: epoch.epoch,
		by: device.record.id,
		key: keyHash(epoch.key),
		log: epoch.log,
		from: epoch.from,
		prev: toBase64(epoch.prev),
	})
	return { record, signature: signFor('epoch', device.signSecret, record) }
}

/**
 * Checks an epoch record against the verified log. Throws `epoch_bad_signature`,
 * `epoch_unknown_device` (its maker is not in the log, or was not active at the head it names),
 * `epoch_moved` (it belongs to another scope or number), `log_rolled_back` (it names a head that the log
 * does not pass through), `malformed_epoch_record`, `newer_version`.
 */
export function checkEpoch(
	signed: SignedEpoch,
	log: LogState,
	expected: { scope: string; epoch: number },
): EpochRecord {
	const record = decodeJson(signed.record, epochSchema, 'epoch_record')
	if (record.scope !== expected.scope || record.epoch !== expected.epoch) {
		throw refused('epoch_moved', 'The record of an epoch was moved on the server.')
	}
	const maker = log.devices.get(record.by)
	if (!maker) {
		throw refused(
			'epoch_unknown_device',
			'A key was made by a device that is not in the device log.',
		)
	}
	assertSigned(
		verifyFor('epoch', fromBase64(maker.record.sign, 32), signed.signature, signed.record),
		'epoch_bad_signature',
		'an epoch record',
	)
	if (!passesThrough(log, record.log)) {
		throw refused(
			'log_rolled_back',
			'The server shows a device log that disagrees with one that a device has seen.',
		)
	}
	if (record.log.seq < maker.addedSeq || (maker.revoked && record.log.seq >= maker.revoked.seq)) {
		throw refused('epoch_unknown_device', 'A key was made by a device that was not active then.')
	}
	return record
}

const noChain = toBase64(new Uint8Array(32))

/**
 * Checks where a record says that its epoch begins: where a scope begins, or not before the epoch
 * `before` it, whose record is `null` where it is not known. Throws `epoch_misplaced`.
 */
export function checkEpochPlace(record: EpochRecord, before: EpochRecord | null): void {
	const { scope, epoch, from, prev } = record
	const session = sessionOf(scope)
	const first = session === null ? noChain : toBase64(chainStart(session).chain)
	const fits =
		session === null
			? from === 0 && prev === first
			: epoch === 0
				? from === 1 && prev === first
				: before === null || from > before.from || (from === before.from && prev === before.prev)
	if (!fits) {
		throw refused('epoch_misplaced', 'A key was made for another place in the session than it has.')
	}
}

const grantSchema = v.object({
	v: version,
	scope: scopeSchema,
	epoch: epochNumber,
	key: base64(32),
})

/** A key boxed for one device: nonce 24 bytes. `shared` is `sharedKey(receiver, granter)`. */
export interface SealedGrant {
	nonce: Uint8Array
	ciphertext: Uint8Array
}

/** Boxes the key of an epoch for the device behind `shared` (32 bytes). The nonce must be fresh. */
export function sealGrant(
	grant: { scope: Scope; epoch: number; key: Uint8Array },
	shared: Uint8Array,
	nonce: Uint8Array,
): SealedGrant {
	const { scope, epoch, key } = grant
	const plaintext = pad(encodeJson({ v: 1, scope, epoch, key: toBase64(key) }))
	return { nonce, ciphertext: seal(plaintext, nonce, shared) }
}

/**
 * Opens a grant and returns the key (32 bytes), only if it is the one that the checked epoch record
 * names. `shared` is `sharedKey(granter, own)`; the granter must be in the verified log. Throws
 * `grant_altered`, `grant_wrong_key`, `malformed_grant`, `newer_version`.
 */
export function openGrant(grant: SealedGrant, record: EpochRecord, shared: Uint8Array): Uint8Array {
	const plaintext = open(grant.ciphertext, grant.nonce, shared)
	if (!plaintext)
		throw refused('grant_altered', 'A key that was granted to this device does not open.')
	const inside = decodeJson(unpad(plaintext), grantSchema, 'grant')
	const key = fromBase64(inside.key, 32)
	const fits = inside.scope === record.scope && inside.epoch === record.epoch
	if (!fits || keyHash(key) !== record.key) {
		throw refused('grant_wrong_key', 'A key that was granted to this device is not the right one.')
	}
	return key
}

/** The granter's record, if the verified log knows it. Throws `grant_unknown_device`. */
export function granterOf(log: LogState, device: string): DeviceRecord {
	const state = log.devices.get(device)
	if (!state) {
		throw refused(
			'grant_unknown_device',
			'A key was granted by a device that is not in the device log.',
		)
	}
	return state.record
}
