import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { capLine, moreLines } from '../../source/text/caps.ts'
import { displayText, revealText, splitLines } from '../../source/text/safe-text.ts'
import { lineText, lineWidth, span, styledLines } from '../../source/text/styled.ts'
import { type Table, tableLines } from '../../source/text/table.ts'
import { fitWidth, padText, textWidth, truncateText } from '../../source/text/width.ts'
import { wrapLine } from '../../source/text/wrap.ts'
import { expectDrawable, hardText } from './_texts.ts'
import { hostileTexts } from './hostile-text.ts'

const line = (text: string) => [span(displayText(text))]
const wrapped = (text: string, width: number, mode?: 'words' | 'columns') =>
	wrapLine(line(text), width, mode ? { mode } : {}).map(lineText)

describe('widths', () => {
	test.each([
		['abc', 3],
		['', 0],
		['漢字', 4],
		['한', 2],
		['ｗ', 2],
		['e\u0301', 1],
		['👩‍👩‍👧‍👦', 2],
		['🇳🇱', 2],
		['❤️', 2],
	])('%j takes %d columns', (text, width) => expect(textWidth(text)).toBe(width))

	test('what fits is never wider, and one character more would be', () => {
		fc.assert(
			fc.property(hardText, fc.integer({ min: 0, max: 30 }), (raw, columns) => {
				const text = displayText(raw)
				const end = fitWidth(text, columns)
				expect(textWidth(text.slice(0, end))).toBeLessThanOrEqual(columns)
				if (end === text.length) return
				const [next] = new Intl.Segmenter().segment(text.slice(end))
				const more = textWidth(text.slice(0, end)) + textWidth(next?.segment ?? '')
				expect(more).toBeGreaterThan(columns)
			}),
		)
	})

	test('a character is never cut in two', () => {
		const text = 'a👩‍👩‍👧‍👦b'
		expect(fitWidth(text, 2)).toBe(1)
		expect(fitWidth(text, 3)).toBe(text.length - 1)
		expect(fitWidth('e\u0301x', 1)).toBe(2)
	})

	test('what is cut short says so, and fits', () => {
		expect(truncateText('hello', 5)).toBe('hello')
		expect(truncateText('hello', 4)).toBe('hel…')
		expect(truncateText('漢字漢字', 4)).toBe('漢…')
		expect(truncateText('x', 0)).toBe('')
		fc.assert(
			fc.property(hardText, fc.integer({ min: 1, max: 20 }), (raw, width) => {
				const text = displayText(raw)
				const cut = truncateText(text, width)
				expect(textWidth(cut)).toBeLessThanOrEqual(width)
				expect(cut === text || cut.endsWith('…')).toBe(true)
			}),
		)
	})

	test('what is filled up is as wide as asked', () => {
		expect(padText('漢', 4)).toBe('漢  ')
		expect(padText('long', 2)).toBe('long')
	})
})

describe('wrapping', () => {
	test('breaks between words and drops the spaces there', () => {
		expect(wrapped('the quick brown fox', 10)).toEqual(['the quick', 'brown fox'])
		expect(wrapped('a  b', 10)).toEqual(['a  b'])
		expect(wrapped('', 10)).toEqual([''])
	})

	test('a word that is too long is broken where the line is full', () => {
		expect(wrapped('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
		expect(wrapped('漢字漢字', 5)).toEqual(['漢字', '漢字'])
	})

	test('keeps the indentation of a line', () => {
		expect(wrapped('  two words', 7)[0]).toBe('  two')
	})

	test('in columns every character is kept', () => {
		expect(wrapped('a  b   c', 3, 'columns').join('')).toBe('a  b   c')
		fc.assert(
			fc.property(hardText, fc.integer({ min: 2, max: 30 }), (raw, width) => {
				const text = revealText(raw)
				const lines = wrapLine([span(text)], width, { mode: 'columns' })
				expect(lines.map(lineText).join('')).toBe(text)
			}),
		)
	})

	test('no word is lost', () => {
		fc.assert(
			fc.property(hardText, fc.integer({ min: 2, max: 30 }), (raw, width) => {
				const text = displayText(raw)
				const bare = (value: string) => value.replaceAll(' ', '')
				expect(bare(wrapped(raw, width).join(''))).toBe(bare(text))
			}),
		)
	})

	test.each(['words', 'columns'] as const)('by %s no line is wider than asked', (mode) => {
		fc.assert(
			// No character of these takes more than four columns.
			fc.property(hardText, fc.integer({ min: 4, max: 40 }), (raw, width) => {
				expectDrawable(wrapLine(line(raw), width, { mode }), width)
			}),
		)
	})

	test('what is put before the lines counts', () => {
		fc.assert(
			fc.property(hardText, fc.integer({ min: 8, max: 40 }), (raw, width) => {
				const options = { first: line('1. '), rest: line('  ') }
				const lines = wrapLine(line(raw), width, options)
				expectDrawable(lines, width)
				expect(lineText(lines[0] ?? [])).toMatch(/^1\. /)
				for (const rest of lines.slice(1)) expect(lineText(rest)).toMatch(/^ {2}/)
			}),
		)
	})

	test('a character wider than the line stands alone', () => {
		expect(wrapped('漢字', 1)).toEqual(['漢', '字'])
	})

	test('styles stay with their words', () => {
		const styled = [span(displayText('one '), 'strong'), span(displayText('two'), 'code')]
		expect(wrapLine(styled, 4)).toEqual([
			[span(displayText('one'), 'strong')],
			[span(displayText('two'), 'code')],
		])
	})

	test('a line without end is wrapped in time that grows with its length', () => {
		expect(wrapped('x'.repeat(100_000), 80).length).toBe(1250)
		expect(wrapped('a '.repeat(50_000), 80).length).toBe(1250)
	})
})

describe('tables', () => {
	const table = (header: string[], ...rows: string[][]): Table => ({
		header: header.map(line),
		rows: rows.map((row) => row.map(line)),
		align: header.map(() => 'left' as const),
	})
	const text = (one: Table, width: number) => tableLines(one, width).map(lineText)

	test('are aligned', () => {
		expect(text(table(['a', 'name'], ['1', 'x'], ['22', 'yy']), 40)).toEqual([
			'a  │ name',
			'───┼─────',
			'1  │ x   ',
			'22 │ yy  ',
		])
	})

	test('to the right and to the middle too', () => {
		const one: Table = { ...table(['num', 'mid'], ['1', 'x']), align: ['right', 'center'] }
		expect(text(one, 40).at(-1)).toBe('  1 │  x ')
	})

	test('wide characters count as two', () => {
		const lines = text(table(['名', 'b'], ['漢字', 'c']), 40)
		expect(new Set(lines.map(textWidth)).size).toBe(1)
	})

	test('cells wrap where there is no room', () => {
		const lines = text(table(['key', 'value'], ['k', 'some words that are long']), 16)
		expect(lines.length).toBeGreaterThan(3)
		for (const each of lines) expect(textWidth(each)).toBeLessThanOrEqual(16)
	})

	test('too narrow for columns, each row is a list', () => {
		const many = table(['a', 'b', 'c', 'd', 'e'], ['first', 'second', 'third', 'fourth', 'fifth'])
		expect(text(many, 12).slice(0, 2)).toEqual(['a: first', 'b: second'])
	})

	test('cells that lack are empty, and no columns are no lines', () => {
		expect(text(table(['a', 'b'], ['1']), 20).at(-1)).toMatch(/^1 │ +$/)
		expect(tableLines(table([]), 20)).toEqual([])
	})

	test('are never wider than asked', () => {
		const cells = fc.array(fc.array(hardText, { minLength: 1, maxLength: 5 }), {
			minLength: 1,
			maxLength: 4,
		})
		fc.assert(
			fc.property(cells, fc.integer({ min: 8, max: 60 }), ([header = [], ...rows], width) => {
				expectDrawable(tableLines(table(header, ...rows), width), width)
			}),
		)
	})
})

describe('limits', () => {
	test('a line that is cut says by how much', () => {
		expect(capLine(displayText('abcdef'), 6)).toEqual({ text: 'abcdef', cut: 0 })
		expect(capLine(displayText('abcdef'), 4)).toEqual({ text: 'abcd … +2 columns', cut: 2 })
		expect(capLine(displayText('漢字漢字'), 5)).toEqual({ text: '漢字 … +4 columns', cut: 4 })
	})

	test('a text that is cut says how many lines lack', () => {
		expect(moreLines(1)).toBe('… +1 line')
		expect(moreLines(12)).toBe('… +12 lines')
	})

	test('what was kept and what was cut are all there was', () => {
		fc.assert(
			fc.property(hardText, fc.integer({ min: 1, max: 30 }), (raw, columns) => {
				const text = displayText(raw.replaceAll(/[\n\r]/g, ' '))
				const { text: shown, cut } = capLine(text, columns)
				const kept = cut === 0 ? shown : shown.replace(/ … \+\d+ columns$/, '')
				expect(textWidth(kept) + cut).toBe(textWidth(text))
			}),
		)
	})
})

test.each(hostileTexts)('hostile text stays in its place: $id', ({ text }) => {
	for (const width of [8, 40]) {
		for (const policy of [displayText, revealText]) {
			const lines = styledLines(policy(text))
			for (const mode of ['words', 'columns'] as const) {
				expectDrawable(
					lines.flatMap((each) => wrapLine(each, width, { mode })),
					width,
				)
			}
			const cells = splitLines(policy(text)).slice(0, 3)
			const cell = (value: (typeof cells)[number]) => [span(value)]
			const one: Table = {
				header: cells.map(cell),
				rows: [cells.map(cell)],
				align: cells.map(() => 'left' as const),
			}
			expectDrawable(tableLines(one, 40), 40)
			for (const each of cells) {
				expect(lineWidth([span(capLine(each, 30).text)])).toBeLessThanOrEqual(30 + 20)
			}
		}
	}
})
