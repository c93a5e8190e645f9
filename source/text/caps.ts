/** Limits on what is drawn, that say what they cut. */
import { type SafeText, safeText, sliceText } from './safe-text.ts'
import { fitWidth, textWidth } from './width.ts'

/** Longest line that is laid out, in columns. */
export const maxLineColumns = 2000

export interface Capped {
	text: SafeText
	/** What was cut: columns of a line, or whole lines. 0: nothing. */
	cut: number
}

/** Cuts one line to `columns`; the rest is a count at its end, on top of the columns. */
export function capLine(line: SafeText, columns = maxLineColumns): Capped {
	// A UTF-16 unit takes no more than two columns, so most lines need no measuring.
	if (line.length * 2 <= columns) return { text: line, cut: 0 }
	const width = textWidth(line)
	if (width <= columns) return { text: line, cut: 0 }
	const end = fitWidth(line, columns)
	const kept = sliceText(line, 0, end)
	const cut = width - textWidth(kept)
	return { text: safeText`${kept} … +${cut} columns`, cut }
}

/** `… +12 lines` */
export function moreLines(count: number): SafeText {
	return count === 1 ? safeText`… +1 line` : safeText`… +${count} lines`
}
