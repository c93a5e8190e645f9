/** Columns that text takes on the screen, counted by what a person sees as one character. */
import stringWidth from 'string-width'

let segmenter: Intl.Segmenter | null = null

/** Made when it is needed: most screens show nothing that has to be taken apart. */
function segments(text: string): Intl.Segments {
	segmenter ??= new Intl.Segmenter()
	return segmenter.segment(text)
}

const printableAscii = /^[\x20-\x7e]*$/

// Characters that never join their neighbours, by columns: letters of Europe, punctuation, arrows, boxes, signs;
// and those of East Asia. Most text is made of nothing else, and is measured without taking it apart.
const narrow = String.raw`\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0377\u0384-\u038a\u038e-\u03a1\u03a3-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u203b\u2190-\u21ff\u23ce\u2500-\u25fc\u26a0\u270e-\u2727\u2800-\u28ff`
const wide = String.raw`\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60`
const simple = new RegExp(`^[${narrow}${wide}]*$`)
const isWide = new RegExp(`[${wide}]`)
const anyWide = new RegExp(`[${wide}]`, 'g')

export function textWidth(text: string): number {
	if (printableAscii.test(text)) return text.length
	if (simple.test(text)) return text.length + (text.match(anyWide)?.length ?? 0)
	let width = 0
	for (const { segment } of segments(text)) width += graphemeWidth(segment)
	return width
}

const known = new Map<string, number>()
const mostKnown = 4000
const longestKnown = 16

/** Of one character as a person sees it. Measuring one takes long, and texts repeat theirs. */
function graphemeWidth(segment: string): number {
	const width = known.get(segment) ?? stringWidth(segment)
	if (segment.length <= longestKnown) {
		if (known.size >= mostKnown) known.clear()
		known.set(segment, width)
	}
	return width
}

/** How many UTF-16 units of `text` fit into `columns` without cutting a character. */
export function fitWidth(text: string, columns: number): number {
	return measureFit(text, columns).end
}

/** As `fitWidth`, with the columns that they take. Costs what fits, not the text. */
export function measureFit(text: string, columns: number): { end: number; width: number } {
	if (printableAscii.test(text.slice(0, columns + 1))) {
		const end = Math.max(0, Math.min(columns, text.length))
		return { end, width: end }
	}
	// Segmenting a text costs all of it, so only a part is looked at: one that is too short is looked at again.
	for (let units = Math.max(0, columns) * 4 + 64; ; units *= 4) {
		const part = text.slice(0, units)
		const found = fitPart(part, columns)
		// The last character of a part may go on behind it.
		if (found.end < part.length || part.length === text.length) return found
	}
}

function fitPart(text: string, columns: number): { end: number; width: number } {
	let width = 0
	if (simple.test(text)) {
		for (let end = 0; end < text.length; end++) {
			const next = width + (isWide.test(text.charAt(end)) ? 2 : 1)
			if (next > columns) return { end, width }
			width = next
		}
		return { end: text.length, width }
	}
	for (const { segment, index } of segments(text)) {
		const next = width + graphemeWidth(segment)
		if (next > columns) return { end: index, width }
		width = next
	}
	return { end: text.length, width }
}

/** Whether `text` takes no more than `columns`. Costs what fits, not the text. */
export function fits(text: string, columns: number): boolean {
	return columns >= 0 && fitWidth(text, columns) === text.length
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
