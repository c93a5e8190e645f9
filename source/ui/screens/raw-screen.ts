import { safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span } from '../../text/styled.ts'
import { emptyScreen, type Model, type Pane, type ScreenFrame } from '../frame.ts'
import { twoPaneColumns } from '../layout.ts'
import { openedLines, rawCard, storedLines } from '../present/raw-lines.ts'
import type { Size } from '../state.ts'
import { scrollPane } from './scroll-pane.ts'

/** A message as the server holds it, and beside or below it what this device makes of that. */
export function rawScreen({ ui }: Model, { columns, rows }: Size): ScreenFrame {
	const { raw } = ui
	const height = rows - 1
	const whole = { width: columns, height, active: true }
	if (!raw) {
		const reading = [span(safeText`  … reading`, 'dim')]
		return {
			...emptyScreen,
			panes: [{ ...whole, title: titleOf(null), rows: [{ line: reading }] }],
		}
	}
	const { message } = raw
	const title = titleOf(message.seq)
	const top = ui.cardTops.get(rawCard) ?? 0
	if (columns < twoPaneColumns) {
		const lines = [...storedLines(raw, columns - 2), emptyLine, ...openedLines(raw, columns - 2)]
		const { pane, card } = scrolled(lines, top, { ...whole, title })
		return { ...emptyScreen, panes: [pane], card }
	}
	const left = Math.floor((columns - 1) / 2)
	const right = columns - 1 - left
	const stored = storedLines(raw, left - 2)
	const opened = openedLines(raw, right - 2)
	const total = Math.max(stored.length, opened.length)
	const fill = (lines: StyledLine[]) => [
		...lines,
		...Array.from({ length: total - lines.length }, () => emptyLine),
	]
	const one = scrolled(fill(stored), top, { ...whole, width: left, title })
	const other = scrolled(fill(opened), top, { ...whole, width: right, title: [] })
	return { ...emptyScreen, panes: [one.pane, other.pane], card: one.card }
}

function titleOf(seq: number | null): StyledLine {
	const of = seq === null ? safeText`` : safeText` of message #${seq}`
	return [span(safeText`raw view${of}`, 'strong')]
}

function scrolled(lines: readonly StyledLine[], wanted: number, options: Omit<Pane, 'rows'>) {
	const { rows, top, total } = scrollPane(lines, wanted, options)
	const pane: Pane = {
		...options,
		rows: rows.map(({ line }) => ({ line: [span(safeText` `), ...line] })),
	}
	return { pane, card: { id: rawCard, top, height: options.height, total } }
}
