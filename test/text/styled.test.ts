import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { capLine } from '../../source/text/caps.ts'
import { displayText } from '../../source/text/safe-text.ts'
import {
	compactLine,
	lineText,
	lineWidth,
	padLine,
	type Style,
	type StyledLine,
	span,
	styledLines,
	truncateLine,
} from '../../source/text/styled.ts'
import { wrapLine } from '../../source/text/wrap.ts'

const line = (...texts: string[]): StyledLine =>
	texts.map((text, index) => span(displayText(text), index % 2 ? 'strong' : 'plain'))

const anyLine = fc
	.array(
		fc.tuple(
			fc.string({
				unit: fc.oneof(
					fc.constantFrom('a', 'b', ' ', ' ', '日', '👍🏽', 'e\u0301', '-', '🇸🇪', 'ü'),
					fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
				),
				maxLength: 20,
			}),
			fc.constantFrom<Style>('plain', 'strong', 'code'),
		),
		{ maxLength: 5 },
	)
	.map(
		(spans): StyledLine =>
			spans.map(([text, style]) => span(displayText(text.replaceAll('\n', '')), style)),
	)

describe('wrapLine', () => {
	test('breaks between words and drops the space there', () => {
		expect(wrapLine(line('the quick brown fox'), 10).map(lineText)).toEqual([
			'the quick',
			'brown fox',
		])
	})

	test('keeps a word together across styles', () => {
		expect(wrapLine(line('one two', 'three', ' four'), 9).map(lineText)).toEqual([
			'one',
			'twothree',
			'four',
		])
	})

	test('breaks a word that is wider than a line', () => {
		expect(wrapLine(line('abcdefghij'), 4).map(lineText)).toEqual(['abcd', 'efgh', 'ij'])
	})

	test('keeps indentation and puts prefixes', () => {
		const [first, rest] = [line('• '), line('  ')]
		expect(wrapLine(line('one two three'), 8, { first, rest }).map(lineText)).toEqual([
			'• one',
			'  two',
			'  three',
		])
		expect(wrapLine(line('    indented text'), 14).map(lineText)).toEqual(['    indented', 'text'])
	})

	test('never cuts a wide character', () => {
		expect(wrapLine(line('日本語'), 5, { mode: 'columns' }).map(lineText)).toEqual(['日本', '語'])
	})

	test('by columns: every character stays, no line is too wide', () => {
		fc.assert(
			fc.property(anyLine, fc.integer({ min: 2, max: 30 }), (any, width) => {
				const broken = wrapLine(any, width, { mode: 'columns' })
				expect(broken.map(lineText).join('')).toBe(lineText(any))
			}),
		)
	})

	test('by words: nothing but spaces is lost', () => {
		fc.assert(
			fc.property(anyLine, fc.integer({ min: 2, max: 30 }), (any, width) => {
				const broken = wrapLine(any, width)
				const dense = (text: string) => text.replaceAll(' ', '')
				expect(dense(broken.map(lineText).join(''))).toBe(dense(lineText(any)))
			}),
		)
	})

	test('stays within the width', () => {
		const characters = fc.constantFrom('a', 'bc', ' ', '日', '👍🏽', 'e\u0301', 'ü', '🇸🇪')
		const lines = fc.array(fc.tuple(fc.string({ unit: characters, maxLength: 30 }), fc.boolean()))
		fc.assert(
			fc.property(lines, fc.integer({ min: 2, max: 30 }), fc.boolean(), (spans, width, words) => {
				const any = spans.map(([text, strong]) =>
					span(displayText(text), strong ? ('strong' as const) : 'plain'),
				)
				for (const broken of wrapLine(any, width, { mode: words ? 'words' : 'columns' })) {
					expect(lineWidth(broken)).toBeLessThanOrEqual(width)
				}
			}),
		)
	})
})

test('truncateLine keeps to the width and says that it cut', () => {
	expect(lineText(truncateLine(line('abc', 'def'), 6))).toBe('abcdef')
	expect(lineText(truncateLine(line('abc', 'def'), 5))).toBe('abcd…')
	expect(lineText(truncateLine(line('日本語'), 4))).toBe('日…')
	expect(lineText(truncateLine(line('abc', 'def'), 4))).toBe('abc…')
	expect(lineText(truncateLine(line('abc'), 1))).toBe('…')
	expect(truncateLine(line('abc'), 0)).toEqual([])
	fc.assert(
		fc.property(anyLine, fc.integer({ min: 0, max: 30 }), (any, width) => {
			expect(lineWidth(truncateLine(any, width))).toBeLessThanOrEqual(width)
		}),
	)
})

test('padLine fills to the width', () => {
	expect(lineText(padLine(line('日'), 4))).toBe('日  ')
	expect(lineText(padLine(line('a'), 4, 'right'))).toBe('   a')
	expect(lineText(padLine(line('a'), 4, 'center'))).toBe(' a  ')
	expect(lineText(padLine(line('abcd'), 2))).toBe('abcd')
})

test('compactLine joins neighbours of one style', () => {
	expect(
		compactLine([...line('a', 'b'), ...line('c').map((s) => ({ ...s, style: 'strong' as const }))]),
	).toEqual(line('a', 'bc'))
	expect(compactLine(line('a', '', 'b'))).toEqual(line('ab'))
})

test('styledLines makes a line a line', () => {
	expect(styledLines(displayText('a\n\nb'), 'code')).toEqual([
		[{ text: 'a', style: 'code' }],
		[],
		[{ text: 'b', style: 'code' }],
	])
})

test('caps say what they cut', () => {
	expect(capLine(displayText('x'.repeat(10)), 20)).toEqual({ text: 'x'.repeat(10), cut: 0 })
	expect(capLine(displayText('x'.repeat(25)), 20)).toEqual({
		text: `${'x'.repeat(20)} … +5 columns`,
		cut: 5,
	})
	expect(capLine(displayText('日'.repeat(5)), 7)).toEqual({ text: '日日日 … +4 columns', cut: 4 })
})
