import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
	displayText,
	revealPieces,
	revealText,
	safeText,
	splitLines,
} from '../../source/text/safe-text.ts'
import { hostileTexts } from './hostile-text.ts'

const control = /[\p{Cc}--\n]/v
const reordersOrHides =
	/[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u00ad\u{e0000}-\u{e0fff}\u{3164}\u{115f}]/u
const halves = /\p{Cs}/u

const nasty = fc.string({
	unit: fc.oneof(
		fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
		fc.constantFrom(
			...['\x1b', '\x1b[', '\x1b]', '\x9b', '\x9d', '\x07', '\x1b\\', '\x9c', '\r', '\n', '\r\n'],
			...['\t', '\b', '\u202e', '\u2066', '\u200b', '\u200d', '\ufe0f', '\u{e0101}', '\u{e0041}'],
			...['\u0301', '\u0338', '👩', '❤', '🏽', '1', '\u20e3', '🇸', '\ud800', '\udc00', '\u00a0'],
			...['A', 'm', '0', ';', '\\', 'P', '‹', 'U', '›', '\ue0b0', '\uffff', '\u3164', '\u0600'],
		),
	),
	maxLength: 60,
})

describe.each([
	['displayText', displayText],
	['revealText', revealText],
])('%s', (name, policy) => {
	test('lets nothing through that drives a terminal or hides', () => {
		fc.assert(
			fc.property(nasty, (raw) => {
				const shown = policy(raw)
				expect(shown).not.toMatch(control)
				expect(shown).not.toMatch(reordersOrHides)
				expect(shown).not.toMatch(halves)
			}),
			{ numRuns: 5000 },
		)
	})

	test('changes nothing the second time', () => {
		fc.assert(
			fc.property(nasty, (raw) => {
				expect(policy(policy(raw))).toBe(policy(raw))
			}),
			{ numRuns: 5000 },
		)
	})

	test('a code point that is reserved for a pictograph is none yet', () => {
		const reserved = '\u{1fbfb}\u{1fc00}\ufe0f'
		expect(policy(policy(reserved))).toBe(policy(reserved))
		expect(policy('\u{1f004}\ufe0f')).toBe('\u{1f004}\ufe0f')
	})

	test.each(hostileTexts)('$id: $why', ({ text }) => {
		const shown = policy(text)
		expect(shown).not.toMatch(control)
		expect(shown).not.toMatch(reordersOrHides)
		if (shown.length < 1000) expect(shown).toMatchSnapshot(name)
	})

	test('leaves plain text as it is', () => {
		const text = 'const a = `ü` + "日本語" // ✓ done — 100 %\n\n  👍🏽 Привет'
		expect(policy(text)).toBe(text)
	})
})

describe('displayText', () => {
	test.each([
		['a\x1b[31mb\x1b[0m', 'ab'],
		['a\x1b]0;title\x07b', 'ab'],
		['a\x1b]0;title\x1b\\b', 'ab'],
		['a\x1b]0;no end\nnext line', 'a\nnext line'],
		['a\x1b]0;no end\x1b[1mnext', 'anext'],
		['a\x1bPq#0\x1b\\b', 'ab'],
		['a\x9b31mb\x9d0;t\x9cc', 'abc'],
		['a\x1b(0b\x1bcd', 'abd'],
		[
			'one\rtwo\r\nthree\vfour\ffive\x85six\u2028seven\u2029',
			'one\ntwo\nthree\nfour\nfive\nsix\nseven\n',
		],
		['a\tb', 'a    b'],
		['a\x00\b\x7fb', 'ab'],
		['x\u202ey\u200bz\ufeff\u00ad', 'x‹U+202E›y‹U+200B›z‹U+FEFF›‹U+00AD›'],
		['hi\u{e0041}\u{e0042}!', 'hi‹hidden tags›!'],
		['a\ufe0f\ufe0e\ufe0f', 'a\ufe0f‹hidden selectors›'],
		['e\u0301\u0302\u0303\u0304\u0305\u0306', 'e\u0301\u0302\u0303\u0304'],
		['\u0301a', '◌\u0301a'],
		['\ue0b0\uffff\u{10ffff}', '\ufffd\ufffd\ufffd'],
		['\ud800x', '\ufffdx'],
		['👩\u200d👩\u200d👧', '👩👩👧'],
	])('%j is shown as %j', (raw, shown) => {
		expect(displayText(raw)).toBe(shown)
	})
})

describe('revealText', () => {
	test.each([
		['rm\u00a0-rf', String.raw`rm\xa0-rf`],
		['a\x1b[8m; curl x\x1b[0m', String.raw`a\x1b[8m; curl x\x1b[0m`],
		['one\rtwo\tthree', String.raw`one\rtwo\tthree`],
		['x\u202ey', String.raw`x\u202ey`],
		['hi\u{e0041}', String.raw`hi\u{e0041}`],
		['\ud800', String.raw`\ud800`],
		['👩\u200d👩', String.raw`👩\u200d👩`],
		['⚠\ufe0f 1\ufe0f\u20e3', '⚠\ufe0f 1\ufe0f\u20e3'],
		['a\ufe0f', String.raw`a\ufe0f`],
		['e\u0301\u0301\u0301\u0301\u0301', String.raw`e${'\u0301'.repeat(4)}\u0301`],
		['a\n\u0301b', String.raw`a${'\n'}\u0301b`],
		['\u3164\u2800\u3000', String.raw`\u3164\u2800\u3000`],
	])('%j is shown as %j', (raw, shown) => {
		expect(revealText(raw)).toBe(shown)
	})

	test('comes in pieces, the hidden ones apart', () => {
		expect(revealPieces('ls\\t\t\u202e-a')).toEqual([
			{ text: 'ls\\t', hidden: false },
			{ text: '\\t\\u202e', hidden: true },
			{ text: '-a', hidden: false },
		])
		fc.assert(
			fc.property(nasty, (raw) => {
				const pieces = revealPieces(raw)
				expect(pieces.map(({ text }) => text).join('')).toBe(revealText(raw))
			}),
		)
	})

	test('never deletes: the whole of the text can be read back', () => {
		const withoutBackslash = nasty.filter((raw) => !raw.includes('\\'))
		const read = (shown: string) =>
			shown.replace(
				/\\(?:r|t|x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\})/g,
				(whole, two?: string, four?: string, more?: string) => {
					if (whole === '\\r') return '\r'
					if (whole === '\\t') return '\t'
					return String.fromCodePoint(Number.parseInt(two ?? four ?? more ?? '', 16))
				},
			)
		fc.assert(
			fc.property(withoutBackslash, (raw) => {
				expect(read(revealText(raw))).toBe(raw)
			}),
			{ numRuns: 5000 },
		)
	})
})

test('safeText puts texts and numbers together', () => {
	expect(safeText`a${displayText('\x1b[1mb')}c${3}`).toBe('abc3')
	expect(splitLines(displayText('a\r\nb'))).toEqual(['a', 'b'])
})

test('a megabyte of hostile text is cleaned without a blow-up', () => {
	for (const piece of [
		'\x1b]',
		'\x1b[',
		'\x1b',
		'\u0301',
		'\u200d',
		'\ufe0f',
		'👩\u200d',
		'\u{e0041}',
	]) {
		const raw = piece.repeat(200_000)
		expect(displayText(raw)).not.toMatch(control)
		expect(revealText(raw)).not.toMatch(control)
	}
})
