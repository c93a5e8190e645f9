import fc from 'fast-check'
import { expect, test } from 'vitest'
import { base32 } from '../../source/protocol/base32.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import {
	createDevice,
	decodeDevice,
	encodeDevice,
	fingerprint,
	randomId,
} from '../../source/protocol/device.ts'
import { codeOf, flip } from './_tamper.ts'

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('the same randomness makes the same device, and nothing else does', () => {
	const from = (byte: number) => createDevice((size) => new Uint8Array(size).fill(byte))
	expect(from(1)).toEqual(from(1))
	expect(from(1).record.box).not.toBe(from(2).record.box)
	expect(createDevice().record).not.toEqual(createDevice().record)
})

test('a device comes back from the vault', () => {
	fc.assert(
		fc.property(seed, (bytes) => {
			const device = createDevice((size) => bytes.slice(0, size))
			expect(decodeDevice(encodeDevice(device))).toEqual(device)
		}),
		{ numRuns: 10 },
	)
})

test('an id is a random UUID of version 4', () => {
	for (const bytes of [0, 0xff]) {
		const id = randomId((size) => new Uint8Array(size).fill(bytes))
		expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
	}
})

test('a fingerprint is over every bit of both keys', () => {
	const { record } = createDevice()
	expect(fingerprint(record)).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){4}$/)
	fc.assert(
		fc.property(fc.constantFrom('box' as const, 'sign' as const), fc.nat(255), (part, bit) => {
			const changed = { ...record, [part]: toBase64(flip(fromBase64(record[part]), bit)) }
			expect(fingerprint(changed)).not.toBe(fingerprint(record))
		}),
	)
	expect(fingerprint({ box: record.sign, sign: record.box })).not.toBe(fingerprint(record))
})

test('base32 is Crockford’s, by bits from the left', () => {
	expect(base32(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff]), 40)).toBe('ZZZZZZZZ')
	expect(base32(new Uint8Array([0b00001_000, 0b10_00011_0]), 15)).toBe('123')
	expect(codeOf(() => base32(new Uint8Array(2), 20))).toBe('malformed_base32')
	expect(codeOf(() => base32(new Uint8Array(2), 3))).toBe('malformed_base32')
})
