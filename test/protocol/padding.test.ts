import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { u32 } from '../../source/protocol/bytes.ts'
import { pad, padme, unpad } from '../../source/protocol/padding.ts'
import { codeOf, flip } from './_tamper.ts'

describe('padmé', () => {
	test('grows, is a fixed point of itself, and costs at most 12 %', () => {
		fc.assert(
			fc.property(fc.integer({ min: 2, max: 2 ** 31 - 1 }), (length) => {
				const padded = padme(length)
				expect(padded).toBeGreaterThanOrEqual(length)
				expect(padded).toBeLessThanOrEqual(length * 1.12)
				expect(padme(padded)).toBe(padded)
				expect(padme(length - 1)).toBeLessThanOrEqual(padded)
			}),
			{ numRuns: 2000 },
		)
	})

	test('few lengths are told apart: a whole megabyte has under 400', () => {
		const seen = new Set<number>()
		for (let length = 1; length <= 2 ** 20; length++) seen.add(padme(length))
		expect(seen.size).toBeLessThan(400)
	})
})

describe('frames', () => {
	test('come back, and have a padded length', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
				const frame = pad(bytes)
				expect(frame.length).toBe(Math.max(256, padme(4 + bytes.length)))
				expect(unpad(frame)).toEqual(bytes)
			}),
		)
	})

	test('no frame means the bytes of another: what opens is exactly what makes it', () => {
		const frame = pad(new Uint8Array(100).fill(7))
		let refused = 0
		for (let at = 0; at < frame.length * 8; at++) {
			const changed = flip(frame, at)
			try {
				expect(pad(unpad(changed))).toEqual(changed)
			} catch {
				expect(codeOf(() => unpad(changed))).toBe('malformed_padding')
				refused++
			}
		}
		// All of the padding, and most of the length.
		expect(refused).toBeGreaterThan((256 - 104) * 8 + 24)
	})

	test.each([0, 1, 3, 4, 255, 257, 1000])('%i bytes of nothing are refused', (length) => {
		expect(codeOf(() => unpad(new Uint8Array(length)))).toBe('malformed_padding')
	})

	test('a length beyond the frame is refused, up to the largest', () => {
		for (const length of [253, 2 ** 31 - 5, 2 ** 31, 2 ** 32 - 5, 2 ** 32 - 4, 2 ** 32 - 1]) {
			const frame = new Uint8Array(256)
			frame.set(u32(length))
			expect(codeOf(() => unpad(frame))).toBe('malformed_padding')
		}
	})

	test('garbage is refused or is exactly a frame', () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 250, maxLength: 300 }), (bytes) => {
				expect(codeOf(() => unpad(bytes))).toBe('malformed_padding')
			}),
		)
	})
})
