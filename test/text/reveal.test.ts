import { expect, test } from 'vitest'
import { revealLines, revealSpans } from '../../source/text/reveal.ts'

test('what was hidden is drawn apart from the same letters', () => {
	expect(revealLines('echo \\x1b\nrm\u00a0-rf \x1b[8m', 'code')).toEqual([
		[{ text: 'echo \\x1b', style: 'code' }],
		[
			{ text: 'rm', style: 'code' },
			{ text: '\\xa0', style: 'hidden' },
			{ text: '-rf ', style: 'code' },
			{ text: '\\x1b', style: 'hidden' },
			{ text: '[8m', style: 'code' },
		],
	])
})

test('a newline in text of one line is shown', () => {
	expect(revealSpans('a\nb')).toEqual([
		{ text: 'a', style: 'plain' },
		{ text: '\\n', style: 'hidden' },
		{ text: 'b', style: 'plain' },
	])
	expect(revealSpans('')).toEqual([])
})
