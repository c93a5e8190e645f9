/** Tables, aligned, and shrunk to the width that there is. */
import { joinText, repeatText, safeText } from './safe-text.ts'
import { compactLine, lineWidth, padLine, type StyledLine, span } from './styled.ts'
import { wrapLine } from './wrap.ts'

export type Align = 'left' | 'right' | 'center'

export interface Table {
	/** Lines of each cell. */
	header: readonly StyledLine[]
	rows: readonly (readonly StyledLine[])[]
	align: readonly Align[]
}

const narrowest = 4
const gap = ' │ '.length

/**
 * Lays a table out in `width` columns; cells wrap. Where not even narrow columns fit, each row becomes
 * a list of `header: value`.
 */
export function tableLines(table: Table, width: number): StyledLine[] {
	const columns = table.header.length
	const room = width - gap * (columns - 1)
	const wanted = table.header.map((cell, column) =>
		Math.max(1, lineWidth(cell), ...table.rows.map((row) => lineWidth(row[column] ?? []))),
	)
	if (columns === 0) return []
	if (room < columns * narrowest && wanted.reduce((sum, each) => sum + each, 0) > room) {
		return records(table, width)
	}
	const widths = shrink(wanted, room)
	const rule = span(
		joinText(
			widths.map((each) => repeatText(safeText`─`, each)),
			safeText`─┼─`,
		),
		'dim',
	)
	return [
		...rowLines(table.header, widths, table.align),
		[rule],
		...table.rows.flatMap((row) => rowLines(row, widths, table.align)),
	]
}

/** Takes from the widest columns until all fit; none gets below the narrowest. */
function shrink(wanted: readonly number[], room: number): number[] {
	let excess = wanted.reduce((sum, each) => sum + each, 0) - room
	let limit = Math.max(...wanted)
	while (excess > 0 && limit > narrowest) {
		const widest = wanted.filter((each) => each >= limit).length
		excess -= widest
		limit--
	}
	const widths = wanted.map((each) => Math.min(each, limit))
	// The last step can have taken more than it had to.
	for (let index = 0; excess < 0 && index < widths.length; index++) {
		if ((wanted[index] ?? 0) > limit) {
			widths[index] = limit + 1
			excess++
		}
	}
	return widths
}

function rowLines(
	row: readonly StyledLine[],
	widths: readonly number[],
	align: readonly Align[],
): StyledLine[] {
	const cells = widths.map((width, column) => wrapLine(row[column] ?? [], width))
	const height = Math.max(...cells.map((cell) => cell.length))
	return Array.from({ length: height }, (_, line) =>
		compactLine(
			widths.flatMap((width, column) => {
				const cell = padLine(cells[column]?.[line] ?? [], width, align[column])
				return column === 0 ? cell : [span(safeText` │ `, 'dim'), ...cell]
			}),
		),
	)
}

function records({ header, rows }: Table, width: number): StyledLine[] {
	return rows.flatMap((row, index) => [
		...(index > 0 ? [[]] : []),
		...header.flatMap((name, column) =>
			wrapLine([...name, span(safeText`: `, 'dim'), ...(row[column] ?? [])], width),
		),
	])
}
