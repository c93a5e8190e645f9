/** A device and its keys (section 1). */
import nacl from 'tweetnacl'
import * as v from 'valibot'
import { base32 } from './base32.ts'
import { keySize, type RandomBytes, randomBytes } from './box.ts'
import { fromBase64, toBase64 } from './bytes.ts'
import { digest } from './digest.ts'
import { base64, decodeJson, encodeJson, uuid, version } from './json.ts'

export const deviceKinds = ['device', 'recovery'] as const

/** What everybody may know of a device. Keys are base64 of 32 bytes each. */
export const deviceRecordSchema = v.object({
	id: uuid,
	box: base64(32),
	sign: base64(32),
	kind: v.picklist(deviceKinds),
})
export type DeviceRecord = v.InferOutput<typeof deviceRecordSchema>

/** A device of our own, with its secrets: `boxSecret` 32 bytes, `signSecret` 64 (seed ‖ public key). */
export interface Device {
	readonly record: DeviceRecord
	readonly boxSecret: Uint8Array
	readonly signSecret: Uint8Array
}

/** A UUID of version 4 from 16 bytes. */
export function uuidFrom(bytes: Uint8Array): string {
	const b = bytes.slice(0, 16)
	b[6] = ((b[6] ?? 0) & 0x0f) | 0x40
	b[8] = ((b[8] ?? 0) & 0x3f) | 0x80
	const hex = Buffer.from(b).toString('hex')
	return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** A random (version 4) UUID from the given randomness. */
export function randomId(random: RandomBytes = randomBytes): string {
	return uuidFrom(random(16))
}

/** Makes the key pairs of a device, from seeds of 32 bytes each. */
export function deviceFromSeeds(
	id: string,
	kind: DeviceRecord['kind'],
	boxSeed: Uint8Array,
	signSeed: Uint8Array,
): Device {
	const box = nacl.box.keyPair.fromSecretKey(boxSeed)
	const sign = nacl.sign.keyPair.fromSeed(signSeed)
	return {
		record: { id, box: toBase64(box.publicKey), sign: toBase64(sign.publicKey), kind },
		boxSecret: box.secretKey,
		signSecret: sign.secretKey,
	}
}

/** Makes a new device. Done once per device and account, on the device. */
export function createDevice(random: RandomBytes = randomBytes): Device {
	return deviceFromSeeds(randomId(random), 'device', random(keySize), random(keySize))
}

const secretsSchema = v.object({
	v: version,
	id: uuid,
	kind: v.picklist(deviceKinds),
	box: base64(32),
	sign: base64(32),
})

/** The bytes that go into the vault, and nowhere else. */
export function encodeDevice(device: Device): Uint8Array {
	return encodeJson({
		v: 1,
		id: device.record.id,
		kind: device.record.kind,
		box: toBase64(device.boxSecret),
		sign: toBase64(device.signSecret.subarray(0, 32)),
	})
}

/** Throws `malformed_device_key` or `newer_version`. */
export function decodeDevice(bytes: Uint8Array): Device {
	const { id, kind, box, sign } = decodeJson(bytes, secretsSchema, 'device_key')
	return deviceFromSeeds(id, kind, fromBase64(box), fromBase64(sign))
}

/** What people compare: 100 bits over both public keys, as five groups of four. */
export function fingerprint(record: Pick<DeviceRecord, 'box' | 'sign'>): string {
	const hash = digest('fingerprint', fromBase64(record.box, 32), fromBase64(record.sign, 32))
	return base32(hash, 100).replace(/(.{4})(?=.)/g, '$1-')
}
