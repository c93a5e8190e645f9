import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomBytes } from '../../source/protocol/box.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import { noLabel, openLabel, sealLabel } from '../../source/protocol/label.ts'
import { codeOf, flip } from './_tamper.ts'

const key = randomBytes(32)
const seal = (subject: string, name: string | null) =>
	sealLabel(subject, { ...noLabel, name }, { epoch: 0, key, nonce: randomBytes(24) })

test('any name comes back', () => {
	const name = fc.option(fc.string({ unit: 'binary', maxLength: 500 }))
	fc.assert(
		fc.property(name, (text) => {
			expect(openLabel('device:a', seal('device:a', text), key)).toEqual({ ...noLabel, name: text })
		}),
		{ numRuns: 50 },
	)
})

test('names of up to 100 characters look the same from outside', () => {
	const lengths = [null, '', 'a', 'x'.repeat(100)].map(
		(name) => seal('device:a', name).ciphertext.length,
	)
	expect(new Set(lengths).size).toBe(1)
})

test('with any bit flipped, under another key, or for another subject, it does not open', () => {
	const sealed = seal('device:a', 'build-box')
	fc.assert(
		fc.property(fc.constantFrom('nonce' as const, 'ciphertext' as const), fc.nat(), (part, bit) => {
			const changed = { ...sealed, [part]: toBase64(flip(fromBase64(sealed[part]), bit)) }
			expect(codeOf(() => openLabel('device:a', changed, key))).toBe('label_altered')
		}),
	)
	expect(codeOf(() => openLabel('device:a', sealed, randomBytes(32)))).toBe('label_altered')
	expect(codeOf(() => openLabel('session:a', sealed, key))).toBe('label_altered')
})
