import { expect, test } from 'vitest'
import { commandOutput } from '../../source/text/plain.ts'
import { lineText } from '../../source/text/styled.ts'
import { expectDrawable } from './_texts.ts'
import { hostileTexts } from './hostile-text.ts'

const shown = (raw: string) =>
	commandOutput(raw, 60).map((line) => line.map(({ text, style }) => `${style}:${text}`))

test('colours of a command become styles, and end where it ended them', () => {
	expect(shown('\x1b[31mFAIL\x1b[0m a\n\x1b[1;92mok\x1b[39m b')).toEqual([
		['removed:FAIL', 'plain: a'],
		['string:ok', 'plain: b'],
	])
	// One that is not ended goes on in the next line, and no further than the output.
	expect(shown('\x1b[33mone\ntwo')).toEqual([['number:one'], ['number:two']])
	expect(shown('plain')).toEqual([['plain:plain']])
	// Colours of 256 and more are no looks of ours, and their parts are none either.
	expect(shown('\x1b[38;5;31mx\x1b[38;2;31;32;33my\x1b[48;5;32mz')).toEqual([
		['plain:x', 'plain:y', 'plain:z'],
	])
})

test('what conceals or overwrites is text like any other, and nothing acts', () => {
	expect(shown('a\x1b[8mhidden\x1b[0m')).toEqual([['plain:a', 'plain:hidden']])
	expect(shown('\x1b[31mold\rnew\x1b[2J')).toEqual([['plain:new']])
	for (const { text } of hostileTexts) {
		expectDrawable(commandOutput(`\x1b[31m${text}\x1b[0m`, 40), 40)
	}
})

test('long and folded, as without colours', () => {
	const lines = commandOutput(`\x1b[32m${'x'.repeat(5000)}`, 100).map(lineText)
	expect(lines.at(-1)).toContain('… +3000 columns')
	const many = Array.from({ length: 40 }, (_, index) => `\x1b[32m${index}`).join('\n')
	expect(commandOutput(many, 60, { limit: 9 }).map(lineText)).toContain('… +31 lines')
})
