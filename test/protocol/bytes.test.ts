import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
	base64Pattern,
	concat,
	decodeUtf8,
	encodeUtf8,
	equal,
	fromBase64,
	readU32,
	toBase64,
	u32,
	u64,
} from '../../source/protocol/bytes.ts'
import { codeOf } from './_tamper.ts'
import { hex } from './_vectors.ts'

const anyBytes = fc.uint8Array({ maxLength: 200 })

describe('base64', () => {
	test('every byte string has its text, and comes back', () => {
		fc.assert(
			fc.property(anyBytes, (bytes) => {
				const text = toBase64(bytes)
				expect(text).toBe(btoa(String.fromCharCode(...bytes)))
				expect(fromBase64(text)).toEqual(bytes)
				expect(fromBase64(text, bytes.length)).toEqual(bytes)
				expect(base64Pattern(bytes.length).test(text)).toBe(true)
				expect(codeOf(() => fromBase64(text, bytes.length + 1))).toBe('malformed_base64')
				expect(base64Pattern(bytes.length + 1).test(text)).toBe(false)
			}),
		)
	})

	test('any other text is refused: a byte string has one text', () => {
		const alphabet = fc.string({ unit: fc.constantFrom(...'AQZ09az+/=-_ \n'), maxLength: 12 })
		fc.assert(
			fc.property(fc.oneof(alphabet, fc.string(), fc.string({ unit: 'binary' })), (text) => {
				try {
					expect(toBase64(fromBase64(text))).toBe(text)
				} catch {
					expect(codeOf(() => fromBase64(text))).toBe('malformed_base64')
				}
			}),
			{ numRuns: 500 },
		)
	})

	test.each([
		'A',
		'AA',
		'AAA',
		'AB==',
		'AAB=',
		'AA=A',
		'AAAA=',
		'AA==AA==',
		'-_-_',
		'AA A',
		'ＡＡＡＡ',
	])('"%s" is refused', (text) => {
		expect(codeOf(() => fromBase64(text))).toBe('malformed_base64')
		for (const size of [0, 1, 2, 3]) expect(base64Pattern(size).test(text)).toBe(false)
	})

	test('tens of megabytes are read, or refused, like any other', () => {
		const large = new Uint8Array(30_000_000).fill(5)
		expect(fromBase64(toBase64(large))).toHaveLength(large.length)
		expect(codeOf(() => fromBase64('A'.repeat(40_000_001)))).toBe('malformed_base64')
	})
})

describe('UTF-8', () => {
	test('text comes back', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), (text) => {
				expect(decodeUtf8(encodeUtf8(text))).toBe(text.toWellFormed())
			}),
		)
	})

	test.each(['ff', 'c080', 'eda080', 'f4908080', 'e282', '80', 'f0808080'])(
		'bytes %s are refused',
		(bytes) => {
			expect(codeOf(() => decodeUtf8(new Uint8Array(Buffer.from(bytes, 'hex'))))).toBe(
				'malformed_text',
			)
		},
	)
})

test('integers are big-endian', () => {
	expect(hex(u32(0x01020304))).toBe('01020304')
	expect(hex(u32(0xffff_ffff))).toBe('ffffffff')
	expect(hex(u64(2 ** 53 - 1))).toBe('001fffffffffffff')
	fc.assert(
		fc.property(fc.nat(0xffff_ffff), (value) => {
			expect(readU32(u32(value))).toBe(value)
			expect(Buffer.from(u64(value)).readBigUInt64BE()).toBe(BigInt(value))
		}),
	)
})

test('concat and equal', () => {
	fc.assert(
		fc.property(anyBytes, anyBytes, (a, b) => {
			expect(Buffer.from(concat(a, b))).toEqual(Buffer.concat([a, b]))
			expect(equal(a, b)).toBe(hex(a) === hex(b))
			expect(equal(a, Uint8Array.from(a))).toBe(true)
		}),
	)
})
