/** A text of several lines that is being typed, as it is shown above the footer. */
import { displayText, joinText, type SafeText, safeText } from '../text/safe-text.ts'
import { type StyledLine, span } from '../text/styled.ts'
import { textWidth } from '../text/width.ts'
import type { InputFrame } from './frame.ts'
import type { LineEdit } from './line-edit.ts'
import type { Size } from './state.ts'

/** Columns left and right of the text. */
const before = 3
const after = 1
/** Of the rows of the terminal so many may be taken by it. */
const rowsFor = (rows: number) => Math.max(1, Math.min(12, Math.floor(rows / 3)))

interface Row {
	from: number
	to: number
}

/** As much of the text around the cursor as there is room for, wrapped. */
export function blockFrame(
	label: readonly StyledLine[],
	{ characters, cursor }: LineEdit,
	{ columns, rows }: Size,
): InputFrame {
	const laidOut = layOut(characters, columns - before - after)
	// A cursor at the end of a full row stands at its end, not on a row of its own.
	const row = Math.max(
		0,
		laidOut.findLastIndex(({ from }) => from <= cursor),
	)
	const height = rowsFor(rows)
	const top = Math.max(0, Math.min(row - (height >> 1), laidOut.length - height))
	const shown = laidOut.slice(top, top + height)
	const { from } = laidOut[row] ?? { from: 0 }
	const column = characters
		.slice(from, cursor)
		.reduce((width, character) => width + textWidth(shownOf(character)), before)
	return {
		label,
		text: shown.map(({ from, to }, index) => [
			span(index + top === 0 ? safeText` › ` : safeText` · `, 'accent'),
			span(joinText(characters.slice(from, to).map(shownOf), safeText``)),
		]),
		cursor: { column: Math.min(column, columns - 1), row: row - top },
	}
}

/** Where each row begins and ends; a line end belongs to no row. */
function layOut(characters: readonly string[], width: number): Row[] {
	const rows: Row[] = []
	let from = 0
	let filled = 0
	for (const [index, character] of characters.entries()) {
		if (character === '\n') {
			rows.push({ from, to: index })
			from = index + 1
			filled = 0
			continue
		}
		const needed = textWidth(shownOf(character))
		if (filled + needed > width && index > from) {
			rows.push({ from, to: index })
			from = index
			filled = 0
		}
		filled += needed
	}
	rows.push({ from, to: characters.length })
	return rows
}

/** A tab stays one in the text. */
function shownOf(character: string): SafeText {
	return displayText(character === '\t' ? '    ' : character)
}
