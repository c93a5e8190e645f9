import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { displayText } from '../../source/text/safe-text.ts'
import { lineText, span } from '../../source/text/styled.ts'
import { fits, fitWidth, measureFit, textWidth } from '../../source/text/width.ts'
import { wrapLine } from '../../source/text/wrap.ts'
import { hardText } from './_texts.ts'

const anyText = fc
	.oneof(
		hardText,
		fc.string({ unit: 'grapheme', maxLength: 30 }),
		fc.string({ unit: 'binary', maxLength: 30 }),
		// The characters that are measured without taking the text apart, and marks that would join them.
		fc.string({
			unit: fc
				.oneof(
					fc.integer({ min: 0x20, max: 0x52f }),
					fc.integer({ min: 0x2010, max: 0x203b }),
					fc.integer({ min: 0x2190, max: 0x25ff }),
					fc.integer({ min: 0x2690, max: 0x2730 }),
					fc.integer({ min: 0x3041, max: 0x30fa }),
					fc.integer({ min: 0xac00, max: 0xac50 }),
					fc.integer({ min: 0xff01, max: 0xff60 }),
					fc.constantFrom(0x301, 0x200d, 0xfe0f, 0x3099),
				)
				.map((code) => String.fromCodePoint(code)),
			maxLength: 30,
		}),
	)
	.map(displayText)

test('widths are those of the drawing library', () => {
	fc.assert(
		fc.property(anyText, (text) => {
			expect(textWidth(text)).toBe(stringWidth(text))
		}),
		{ numRuns: 500 },
	)
})

test('every character that is measured by itself, by itself', () => {
	for (let code = 0x20; code <= 0xffff; code++) {
		if (code >= 0x7f && code < 0xa0) continue
		const character = String.fromCharCode(code)
		if (textWidth(character) !== stringWidth(character)) {
			expect(`U+${code.toString(16)} ${textWidth(character)}`).toBe(`${stringWidth(character)}`)
		}
	}
})

describe('what fits', () => {
	test('is as much as there is room for, cut between characters', () => {
		fc.assert(
			fc.property(anyText, fc.integer({ min: 0, max: 40 }), (text, columns) => {
				const { end, width } = measureFit(text, columns)
				const kept = text.slice(0, end)
				expect(width).toBe(textWidth(kept))
				expect(width).toBeLessThanOrEqual(columns)
				expect(fits(text, columns)).toBe(end === text.length)
				expect(fitWidth(text, columns)).toBe(end)
				const [next] = new Intl.Segmenter().segment(text.slice(end))
				if (next) expect(width + textWidth(next.segment)).toBeGreaterThan(columns)
			}),
			{ numRuns: 500 },
		)
	})

	test('a character longer than what is looked at first is kept whole', () => {
		const family = '👨‍👩‍👧‍👦'.repeat(40)
		expect(fitWidth(family, 80)).toBe(family.length)
		expect(fitWidth(family, 79)).toBe((family.length / 40) * 39)
	})
})

test.each([
	['wide', '漢'],
	['mixed', 'é漢x '],
	['emoji', '👍🏽a'],
	['hidden', 'a\u200b'],
])('a megabyte of %s characters in one line is broken without a blow-up', (_, piece) => {
	const text = displayText(piece.repeat(1e6 / piece.length))
	for (const mode of ['words', 'columns'] as const) {
		const lines = wrapLine([span(text)], 80, { mode })
		const joined = lines.map(lineText).join('')
		expect(joined.replaceAll(' ', '').length).toBe(text.replaceAll(' ', '').length)
	}
})
