/** Texts that are hard to measure and to break, and what must hold of every line. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { lineText, lineWidth, type StyledLine } from '../../source/text/styled.ts'
import { textWidth } from '../../source/text/width.ts'

/** Wide, narrow, combining, joined and right-to-left characters, each as a person sees it. */
const graphemes = [
	...'ab yZ09-_/.',
	'漢',
	'字',
	'한',
	'ｗ',
	'é',
	'e\u0301',
	'क्षि',
	'👩‍👩‍👧‍👦',
	'🇳🇱',
	'👍🏽',
	'❤️',
	'1️⃣',
	'ש',
	'ا',
	'\u200b',
	'\u202e',
	'\u0007',
	'\t',
	'\u00a0',
	'\ufeff',
	'\udc00',
]

export const hardText = fc
	.array(fc.constantFrom(...graphemes), { maxLength: 60 })
	.map((parts) => parts.join(''))

/** With line ends of every kind. */
export const hardLines = fc
	.array(fc.tuple(hardText, fc.constantFrom('\n', '\r\n', '\r', '\u2028', '')), { maxLength: 5 })
	.map((lines) => lines.map(([text, end]) => text + end).join(''))

/** What would drive a terminal, break a line, or not be seen. */
const unsafe =
	/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\ufeff\u{e0000}-\u{e007f}]/u

/** Each line can be drawn as it is and takes no more than `width` columns. */
export function expectDrawable(lines: readonly StyledLine[], width: number): void {
	const wrong = lines.filter((line) => {
		const text = lineText(line)
		const wide = lineWidth(line)
		// Spans are joined when they are drawn: together they must not be wider than apart.
		return unsafe.test(text) || !text.isWellFormed() || textWidth(text) > wide || wide > width
	})
	expect(wrong).toEqual([])
}
