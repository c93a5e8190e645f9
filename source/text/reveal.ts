/** Lines a person decides on: everything is shown, and what was hidden is drawn apart. */
import { revealPieces, safeText } from './safe-text.ts'
import { type Span, type Style, type StyledLine, span } from './styled.ts'

const newline = safeText`\\n`

/** `revealText` as lines; what stands for a hidden character has the style `hidden`. */
export function revealLines(raw: string, style: Style = 'plain'): StyledLine[] {
	return raw.split('\n').map((line) => revealSpans(line, style))
}

/** As `revealLines`, for text of one line; a newline in it is shown as `\n`. */
export function revealSpans(raw: string, style: Style = 'plain'): Span[] {
	const spans: Span[] = []
	for (const [index, line] of raw.split('\n').entries()) {
		if (index > 0) spans.push(span(newline, 'hidden'))
		for (const { text, hidden } of revealPieces(line)) {
			spans.push(span(text, hidden ? 'hidden' : style))
		}
	}
	return spans
}
