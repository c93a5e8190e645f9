import { concat, readU32, u32 } from './bytes.ts'
import { refused } from './errors.ts'

const smallest = 256

/**
 * Padmé: the length (bytes) that `length` is padded to. It leaks O(log log n) bits of the length for at
 * most 12 % of overhead.
 */
export function padme(length: number): number {
	if (length < 2) return length
	const exponent = 31 - Math.clz32(length)
	const bitsOfExponent = 32 - Math.clz32(exponent)
	const mask = 2 ** (exponent - bitsOfExponent) - 1
	return Math.floor((length + mask) / (mask + 1)) * (mask + 1)
}

/** u32 length ‖ bytes ‖ zeros, in all padme(4 + length) bytes and at least 256 (section 5.1). */
export function pad(bytes: Uint8Array): Uint8Array {
	const padded = new Uint8Array(Math.max(smallest, padme(4 + bytes.length)))
	padded.set(u32(bytes.length))
	padded.set(bytes, 4)
	return padded
}

/** Throws `malformed_padding` unless `frame` is exactly what `pad` makes. */
export function unpad(frame: Uint8Array): Uint8Array {
	const length = frame.length < 4 ? -1 : readU32(frame)
	const fits = length >= 0 && frame.length === Math.max(smallest, padme(4 + length))
	if (!fits || !allZero(frame, 4 + length)) {
		throw refused('malformed_padding', 'A decrypted message is not padded as it should be.')
	}
	return frame.subarray(4, 4 + length)
}

function allZero(bytes: Uint8Array, from: number): boolean {
	for (let index = from; index < bytes.length; index++) {
		if (bytes[index] !== 0) return false
	}
	return true
}

/** Signature (64 bytes) ‖ pad(bytes): how signed bytes are put into a box. */
export function padSigned(signature: Uint8Array, bytes: Uint8Array): Uint8Array {
	return concat(signature, pad(bytes))
}
