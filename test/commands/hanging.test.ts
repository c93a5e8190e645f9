import { expect, test } from 'vitest'
import { hanging, widthOf } from '../../source/commands/hanging.ts'
import { textWidth } from '../../source/text/width.ts'

test('lines break at spaces and stand under the first', () => {
	expect(hanging('✓ a  ', 'one two three four five six', 26)).toEqual([
		'✓ a  one two three four',
		'     five six',
	])
})

test('what fits exactly is not broken', () => {
	const text = `${'x'.repeat(10)} ${'y'.repeat(9)}`
	expect(hanging('  ', text, 22)).toEqual([`  ${text}`])
	expect(hanging('  ', `${text}z`, 22)).toHaveLength(2)
})

test('wide characters count twice', () => {
	expect(hanging('', '漢字漢字漢 字漢字漢字', 20, textWidth)).toHaveLength(2)
	expect(hanging('', '漢字漢字漢 字漢字漢字', 21, textWidth)).toHaveLength(1)
})

test('a long word stays whole', () => {
	const path = `/home/${'folder/'.repeat(10)}`
	expect(hanging('  ', `see ${path} for more`, 40)).toEqual(['  see', `  ${path}`, '  for more'])
})

test('nothing breaks where there is no terminal, or no room', () => {
	const text = 'word '.repeat(100)
	expect(hanging('  ', text)).toEqual([`  ${text}`])
	expect(hanging('              ', text, 30)).toHaveLength(1)
	expect(widthOf({ isTTY: false, columns: 80 })).toBe(Number.POSITIVE_INFINITY)
	expect(widthOf({ isTTY: true, columns: 80 })).toBe(80)
	// Some pseudo-terminals say 0.
	expect(widthOf({ isTTY: true, columns: 0 })).toBe(Number.POSITIVE_INFINITY)
})
