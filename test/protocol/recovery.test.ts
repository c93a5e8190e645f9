import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
	isRecoveryWord,
	makeRecoveryWords,
	parseRecoveryWords,
	recoveryDevice,
} from '../../source/protocol/recovery.ts'
import { codeOf } from './_tamper.ts'
import { unhex, vectors } from './_vectors.ts'

const { recovery } = vectors
const words = recovery.words.split(' ')

describe('recovery words', () => {
	test('and their device are those of the vectors', () => {
		expect(makeRecoveryWords(() => unhex(recovery.entropy))).toEqual(words)
		expect(recoveryDevice(words).record).toEqual(recovery.record)
	})

	test('are read back however they are typed', () => {
		const numbered = words.map((word, index) => `${index + 1}. ${word.toUpperCase()}`).join('\n')
		for (const text of [recovery.words, `  ${words.join(',  ')}\r\n`, numbered]) {
			expect(parseRecoveryWords(text)).toEqual(words)
		}
	})

	test('make the same device each time, and different words another one', () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (entropy) => {
				const made = makeRecoveryWords(() => entropy)
				expect(made).toHaveLength(24)
				expect(made.every(isRecoveryWord)).toBe(true)
				expect(parseRecoveryWords(made.join(' '))).toEqual(made)
				expect(recoveryDevice(made).record).toEqual(recoveryDevice(made).record)
				fc.pre(made.join(' ') !== recovery.words)
				expect(recoveryDevice(made).record.id).not.toBe(recovery.record.id)
			}),
			{ numRuns: 20 },
		)
	})

	test.each([
		['', 'these are 0'],
		[words.slice(1).join(' '), 'these are 23'],
		[[...words, words[0]].join(' '), 'these are 25'],
		[words.with(6, 'styrby').join(' '), 'Word 7 '],
		[words.toReversed().join(' '), 'do not belong together'],
	])('that are wrong are refused with what is wrong: %#', (text, says) => {
		expect(codeOf(() => parseRecoveryWords(text), 2)).toBe('bad_recovery_words')
		expect(() => parseRecoveryWords(text)).toThrow(says)
	})

	test('are never in an error, nor in its cause', () => {
		const typed = words.with(6, 'hunter').join(' ')
		try {
			parseRecoveryWords(typed)
			expect.unreachable()
		} catch (error) {
			const text = `${error} ${error instanceof Error ? `${error.stack} ${error.cause}` : ''}`
			for (const word of ['hunter', ...words.filter((word) => word.length > 5)]) {
				expect(text).not.toContain(word)
			}
		}
	})
})
