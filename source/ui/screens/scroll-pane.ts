import { safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span } from '../../text/styled.ts'
import type { Row } from '../components/rows.tsx'

/**
 * `height` rows of `lines` from `top` on. Where there are more below, the last row says how many: it takes
 * the place of a line, which then does not count as shown.
 */
export function scrollPane(
	lines: readonly StyledLine[],
	top: number,
	{ height }: { height: number },
): { rows: readonly Row[]; top: number; total: number; shown: number } {
	const room = lines.length > height ? height - 1 : height
	const start = Math.max(0, Math.min(top, lines.length - room))
	const shown = lines.slice(start, start + room)
	const rows: Row[] = shown.map((line) => ({ line }))
	if (lines.length > height) {
		const below = lines.length - start - shown.length
		rows.push({ line: below === 0 ? emptyLine : more(below) })
	}
	return { rows, top: start, total: lines.length, shown: shown.length }
}

function more(below: number): StyledLine {
	const lines = below === 1 ? safeText`1 more line` : safeText`${below} more lines`
	return [span(safeText`  ↓ ${lines}`, 'warn'), span(safeText`  pgdn`, 'dim')]
}
