/** Columns as they are counted here and as terminals count them: what is off would break every frame. */
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes'
import { Terminal } from '@xterm/headless'
import { expect, test } from 'vitest'
import { displayText } from '../../source/text/safe-text.ts'
import { textWidth } from '../../source/text/width.ts'

const end = '|'

/** Columns that each text takes on a terminal. */
async function columnsOf(texts: readonly string[], graphemes: boolean): Promise<number[]> {
	const terminal = new Terminal({
		cols: 20,
		rows: texts.length + 1,
		allowProposedApi: true,
	})
	if (graphemes) terminal.loadAddon(new UnicodeGraphemesAddon())
	await new Promise<void>((done) =>
		terminal.write(texts.map((text) => `${text}${end}\r\n`).join(''), done),
	)
	const columns = texts.map((_, row) => {
		const line = terminal.buffer.active.getLine(row)
		for (let column = 0; column < 20; column++)
			if (line?.getCell(column)?.getChars() === end) return column
		return -1
	})
	terminal.dispose()
	return columns
}

/** Every so many code points, those that are shown as they are. */
function sample(from: number, to: number, step: number): string[] {
	const found: string[] = []
	for (let code = from; code <= to; code += step) {
		const text = String.fromCodePoint(code)
		if (text !== end && text.isWellFormed() && displayText(text) === text) found.push(text)
	}
	return found
}

const named = (texts: readonly string[], columns: readonly number[]) =>
	texts.flatMap((text, index) => {
		const [own, drawn] = [textWidth(text), columns[index]]
		const name = [...text].map((each) => each.codePointAt(0)?.toString(16)).join(' ')
		return own === drawn ? [] : [`${name}: ${own}, drawn ${drawn}`]
	})

test('letters, signs and ideographs take as many as on any terminal', async () => {
	const texts = [
		...sample(0x20, 0x22ff, 1),
		...sample(0x2300, 0x2319, 1),
		...sample(0x2500, 0x25fc, 1),
		...sample(0x3041, 0xa4ff, 61),
		...sample(0xac00, 0xd7a3, 61),
		...sample(0xff01, 0xffdc, 1),
		...sample(0x20000, 0x2a6df, 997),
		...['e\u0301', 'क्षि', '한국', '漢字', 'ｗ', 'שלום', '…', '⏎', '✓', '✗', '⚠', '▸', '☐', '☑'],
	]
	expect(named(texts, await columnsOf(texts, false))).toEqual([])
})

test('emoji take as many as on a terminal that knows what one character is', async () => {
	const texts = [
		// The tables of that terminal end with Unicode 13: some newer ones, from U+1FA75 on, it counts as one.
		...sample(0x1f300, 0x1f9ff, 7),
		...['👍🏽', '🇳🇱', '❤️', '1️⃣', '©️', '☺️', '🏳️', '⌚', '⭐', '❌'].map((text) => displayText(text)),
	]
	expect(named(texts, await columnsOf(texts, true))).toEqual([])
})
