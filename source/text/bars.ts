/** Rows with a bar and figures beside it, in the width that there is. */
import { repeatText, type SafeText, safeText } from './safe-text.ts'
import { lineWidth, padLine, type StyledLine, spaces, span, truncateLine } from './styled.ts'
import { textWidth } from './width.ts'

export interface BarRow {
	label: StyledLine
	/** Of the longest bar, 0 to 1. */
	share: number
	/** As many as the head has. */
	cells: readonly SafeText[]
}

export interface BarTable {
	head: { label: SafeText; cells: readonly SafeText[] }
	rows: readonly BarRow[]
}

export interface LaidOutBars {
	head: StyledLine
	row(index: number): StyledLine
}

const gap = 2
const narrowestLabel = 8
const narrowestBar = 6
/** A longer one says no more. */
const widestBar = 60

/**
 * Labels left, then bars, then figures in columns, right-aligned. Where there is no room for all figures, the
 * last columns are left out; the first one stays, and the label is cut before the bar is.
 */
export function layOutBars({ head, rows }: BarTable, width: number): LaidOutBars {
	const widths = head.cells.map((name, column) =>
		Math.max(textWidth(name), ...rows.map(({ cells }) => textWidth(cells[column] ?? ''))),
	)
	const wanted = Math.max(textWidth(head.label), ...rows.map(({ label }) => lineWidth(label)))
	const least = Math.min(wanted, Math.max(narrowestLabel, Math.floor(width * 0.4)))
	let shown = widths.length
	const figures = () => widths.slice(0, shown).reduce((sum, each) => sum + each + gap, 0)
	while (shown > 1 && least + gap + narrowestBar + figures() > width) shown--
	const free = width - figures() - gap
	const label = Math.max(
		1,
		Math.min(wanted, Math.max(least, free - Math.max(narrowestBar, free >> 1))),
	)
	const bar = Math.min(widestBar, Math.max(0, free - label))
	const line = (name: StyledLine, drawn: StyledLine, cells: StyledLine[]): StyledLine => {
		const parts = cells
			.slice(0, shown)
			.flatMap((cell, column) => [spaces(gap), ...padLine(cell, widths[column] ?? 0, 'right')])
		const whole = [
			...padLine(truncateLine(name, label), label),
			spaces(gap),
			...padLine(drawn, bar),
			...parts,
		]
		return padLine(truncateLine(whole, width), width)
	}
	return {
		head: line(
			[span(head.label, 'dim')],
			[],
			head.cells.map((cell) => [span(cell, 'dim')]),
		),
		row(index) {
			const row = rows[index]
			if (!row) return []
			const drawn = [span(barText(row.share, bar), 'accent')]
			return line(
				row.label,
				drawn,
				row.cells.map((cell) => [span(cell)]),
			)
		},
	}
}

/** A bar of `share` (0 to 1) of `width` columns, to half a column; whatever is more than nothing shows. */
export function barText(share: number, width: number): SafeText {
	if (!(share > 0) || width <= 0) return safeText``
	const halves = Math.max(1, Math.round(Math.min(1, share) * width * 2))
	const half = halves % 2 === 1 ? safeText`▌` : safeText``
	return safeText`${repeatText(safeText`█`, halves >> 1)}${half}`
}
