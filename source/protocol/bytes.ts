/** Byte strings: base64 for the wire, big-endian integers, concatenation. */
import { isUtf8 } from 'node:buffer'
import { refused } from './errors.ts'

const utf8 = new TextEncoder()

export function encodeUtf8(text: string): Uint8Array {
	return utf8.encode(text)
}

/** Throws `malformed_text` where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
	if (!isUtf8(bytes)) {
		throw refused('malformed_text', 'Bytes that should be UTF-8 text are not.')
	}
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/**
 * Reads standard base64 with padding, and nothing else: one byte string has exactly one text.
 * Throws `malformed_base64`, also when `size` (bytes) is given and does not fit.
 */
export function fromBase64(text: string, size?: number): Uint8Array {
	const bytes = Buffer.from(text, 'base64')
	if (bytes.toString('base64') !== text || (size !== undefined && bytes.length !== size)) {
		throw refused('malformed_base64', 'A byte string is not base64 of the expected length.')
	}
	return new Uint8Array(bytes)
}

// The bits of the last character that stand for nothing must be zero: else two texts mean one byte string.
const twoLeft = '[A-Za-z0-9+/][AQgw]=='
const oneLeft = '[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]='
const patterns = new Map<number, RegExp>()

/** Matches standard base64 of exactly `size` bytes. */
export function base64Pattern(size: number): RegExp {
	let pattern = patterns.get(size)
	if (!pattern) {
		const rest = ['', twoLeft, oneLeft][size % 3] ?? ''
		pattern = new RegExp(`^[A-Za-z0-9+/]{${4 * Math.floor(size / 3)}}${rest}$`)
		patterns.set(size, pattern)
	}
	return pattern
}

export function toHex(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
	let size = 0
	for (const part of parts) size += part.length
	const joined = new Uint8Array(size)
	let offset = 0
	for (const part of parts) {
		joined.set(part, offset)
		offset += part.length
	}
	return joined
}

/** Whether two public byte strings are the same. Not for secrets: it stops at the first difference. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** 4 bytes, big-endian. */
export function u32(value: number): Uint8Array {
	return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

/** 8 bytes, big-endian. `value` is a safe integer. */
export function u64(value: number): Uint8Array {
	return concat(u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32))
}

export function readU32(bytes: Uint8Array): number {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
}
