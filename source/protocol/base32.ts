/** Crockford's base32: no I, L, O or U, so that it can be read out and typed. */
import { refused } from './errors.ts'

export const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The first `bits` (a multiple of 5) bits of `bytes`. */
export function base32(bytes: Uint8Array, bits: number): string {
	if (bits % 5 !== 0 || bits > bytes.length * 8) {
		throw refused('malformed_base32', 'There are not enough bits to write in base32.')
	}
	let text = ''
	for (let bit = 0; bit < bits; bit += 5) {
		const pair = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0)
		text += crockford[(pair >> (11 - (bit & 7))) & 31]
	}
	return text
}

/** What a typed character stands for, 0 to 31; I and L are read as 1, O as 0. -1 when it stands for nothing. */
export function digitOf(character: string): number {
	const upper = character.toUpperCase()
	if (upper.length !== 1) return -1
	return crockford.indexOf(upper === 'O' ? '0' : upper === 'I' || upper === 'L' ? '1' : upper)
}

/** The bytes of `digits` (0 to 31 each); bits that make no whole byte are dropped. */
export function bytesOf(digits: readonly number[]): Uint8Array {
	const bytes = new Uint8Array(Math.floor((digits.length * 5) / 8))
	let held = 0
	let bits = 0
	let at = 0
	for (const digit of digits) {
		held = (held << 5) | digit
		bits += 5
		if (bits < 8) continue
		bits -= 8
		bytes[at++] = held >> bits
		held &= (1 << bits) - 1
	}
	return bytes
}
