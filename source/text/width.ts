/** Columns that text takes on the screen, counted by what a person sees as one character. */
import stringWidth from 'string-width'

let segmenter: Intl.Segmenter | null = null
const printableAscii = /^[\x20-\x7e]*$/

export function textWidth(text: string): number {
	return stringWidth(text)
}

/** How many UTF-16 units of `text` fit into `columns` without cutting a character. */
export function fitWidth(text: string, columns: number): number {
	if (text.length <= columns && printableAscii.test(text)) return text.length
	// Only so much can be looked at: a character of no width is not endless in safe text.
	if (printableAscii.test(text.slice(0, columns + 1))) return Math.min(columns, text.length)
	let width = 0
	segmenter ??= new Intl.Segmenter()
	for (const { segment, index } of segmenter.segment(text)) {
		width += stringWidth(segment)
		if (width > columns) return index
	}
	return text.length
}

/** Fills up with spaces to `width` columns. */
export function padText(text: string, width: number): string {
	return text + ' '.repeat(Math.max(0, width - textWidth(text)))
}

/** The text in at most `width` columns; `…` at its end stands for what was cut. */
export function truncateText(text: string, width: number): string {
	if (width <= 0) return ''
	return textWidth(text) <= width ? text : `${text.slice(0, fitWidth(text, width - 1))}…`
}
