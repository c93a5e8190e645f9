/**
 * Pairing (section 3): one code, typed once, authenticates both directions. Without it a server can
 * neither put a device of its own in the place of the new one, nor show the new one a false account.
 */
import * as v from 'valibot'
import { assertUsableBoxKey, open, seal } from './box.ts'
import { fromBase64, toBase64 } from './bytes.ts'
import { type Device, type DeviceRecord, deviceRecordSchema } from './device.ts'
import { isActive, type LogState, passesThrough, signJoin, verifyJoin } from './device-log.ts'
import { refused, StyrbyError } from './errors.ts'
import {
	base64,
	decodeJson,
	encodeJson,
	isoTime,
	type LogHead,
	logHead,
	uuid,
	version,
} from './json.ts'
import { pad, unpad } from './padding.ts'
import type { PairingKeys } from './pairing-code.ts'
import { assertSigned, assertUsableSignKey } from './sign.ts'

/** ms: how long a request may be answered. */
export const pairingLife = 10 * 60_000
/** ms: the clocks of two devices may differ by this much. */
const clockSkew = 5 * 60_000

const name = v.pipe(v.string(), v.maxLength(200))

const requestSchema = v.object({
	v: version,
	account: uuid,
	device: deviceRecordSchema,
	/** What it calls itself, and the system that it runs on; for a person to recognise. */
	name,
	platform: name,
	/** The new device's consent (`signJoin`), base64 of 64 bytes. */
	join: base64(64),
	at: isoTime,
})
export type PairingRequest = Omit<v.InferOutput<typeof requestSchema>, 'v'>

const answerSchema = v.object({
	v: version,
	account: uuid,
	/** Hash of entry 0 of the account's log. */
	genesis: base64(32),
	/** A head behind the entry that added the new device. */
	log: logHead,
	/** Who answers. */
	by: deviceRecordSchema,
})
export type PairingAnswer = Omit<v.InferOutput<typeof answerSchema>, 'v'>

/** As it travels: nonce 24 bytes. */
export interface SealedPairing {
	nonce: Uint8Array
	ciphertext: Uint8Array
}

/** What a device that wants to join posts. `nonce`: 24 fresh random bytes. */
export function sealPairingRequest(
	keys: PairingKeys,
	device: Device,
	about: { account: string; name: string; platform: string; at: string },
	nonce: Uint8Array,
): SealedPairing {
	const { account, name, platform, at } = about
	const join = toBase64(signJoin(account, device))
	const request = { v: 1, account, device: device.record, name, platform, join, at }
	return { nonce, ciphertext: seal(pad(encodeJson(request)), nonce, keys.request) }
}

/**
 * Opens a request, on a registered device. Throws `pairing_altered`, `pairing_foreign` (it is for another
 * account, or for no ordinary device), `pairing_expired` (`now`: ms since 1970), `weak_key`,
 * `malformed_pairing_request`, `newer_version`.
 */
export function openPairingRequest(
	keys: PairingKeys,
	sealed: SealedPairing,
	account: string,
	now: number,
): PairingRequest {
	const plaintext = open(sealed.ciphertext, sealed.nonce, keys.request)
	if (!plaintext) throw altered('request')
	const { v: _, ...request } = decodeJson(unpad(plaintext), requestSchema, 'pairing_request')
	if (request.account !== account || request.device.kind !== 'device') {
		throw refused('pairing_foreign', 'The device behind this code asks for another account.')
	}
	assertUsableBoxKey(fromBase64(request.device.box, 32))
	assertUsableSignKey(fromBase64(request.device.sign, 32))
	assertSigned(
		verifyJoin(account, request.device, fromBase64(request.join, 64)),
		'pairing_altered',
		'the device that wants to join',
	)
	const age = now - Date.parse(request.at)
	if (age > pairingLife + clockSkew || age < -clockSkew) {
		throw new StyrbyError(
			'pairing_expired',
			'The request behind this code was made at another time, over ten minutes off: begin again on the new device, and look at the clocks of both.',
		)
	}
	return request
}

/** What a registered device answers, after it has added the new one. `nonce`: 24 fresh random bytes. */
export function sealPairingAnswer(
	keys: PairingKeys,
	answer: PairingAnswer,
	nonce: Uint8Array,
): SealedPairing {
	return { nonce, ciphertext: seal(pad(encodeJson({ v: 1, ...answer })), nonce, keys.answer) }
}

/** Throws `pairing_altered`, `malformed_pairing_answer`, `newer_version`. */
export function openPairingAnswer(keys: PairingKeys, sealed: SealedPairing): PairingAnswer {
	const plaintext = open(sealed.ciphertext, sealed.nonce, keys.answer)
	if (!plaintext) throw altered('answer')
	const { v: _, ...answer } = decodeJson(unpad(plaintext), answerSchema, 'pairing_answer')
	return answer
}

/**
 * The new device believes a log only if it begins where the answer says, goes through the head that it
 * names, and contains both devices with their very keys, the new one active. Throws `pairing_false_account`.
 */
export function checkPairedLog(answer: PairingAnswer, log: LogState, own: DeviceRecord): void {
	const genesis: LogHead = { seq: 0, hash: answer.genesis }
	const same = (record: DeviceRecord) => {
		const known = log.devices.get(record.id)?.record
		return known?.box === record.box && known.sign === record.sign && known.kind === record.kind
	}
	const holds =
		log.account === answer.account &&
		passesThrough(log, genesis) &&
		passesThrough(log, answer.log) &&
		same(answer.by) &&
		same(own) &&
		isActive(log, own.id)
	if (!holds) {
		throw refused(
			'pairing_false_account',
			'The server shows this device another account than the one that was answered from: nothing of it is used.',
		)
	}
}

function altered(what: string): StyrbyError {
	return refused('pairing_altered', `The ${what} behind this code was changed on the server.`)
}
