/** The colours in a command's output, as styles of ours: no sequence of its own reaches the terminal. */
import { displayText } from './safe-text.ts'
import { type Span, type Style, type StyledLine, span, splitSpans } from './styled.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const colour = /\x1b\[([\d;]{0,40})m/

const byNumber: ReadonlyMap<number, Style> = new Map([
	[31, 'removed'],
	[32, 'string'],
	[33, 'number'],
	[34, 'name'],
	[35, 'keyword'],
	[36, 'code'],
])

/** Whether the output sets colours at all. */
export function isColoured(raw: string): boolean {
	return colour.test(raw)
}

/**
 * Output as lines in the nearest styles. Foreground colours only: what conceals, blinks or has the colour of
 * its background is text like any other.
 */
export function colouredLines(raw: string, plain: Style): StyledLine[] {
	let style = plain
	const spans: Span[] = []
	// The pieces between sequences and what was captured of those take turns.
	for (const [index, piece] of raw.split(colour).entries()) {
		if (index % 2 === 1) style = styleAfter(piece, style, plain)
		else if (piece !== '') spans.push(span(displayText(piece), style))
	}
	return splitSpans(spans)
}

function styleAfter(parameters: string, before: Style, plain: Style): Style {
	let style = before
	const numbers = parameters.split(';').map(Number)
	for (let index = 0; index < numbers.length; index++) {
		const number = numbers[index] ?? 0
		// What follows are the parts of a colour, and no looks.
		if (number === 38 || number === 48) index += numbers[index + 1] === 5 ? 2 : 4
		else if (number === 0 || number === 39) style = plain
		else if (number >= 90 && number <= 97) style = byNumber.get(number - 60) ?? plain
		else if (number >= 30 && number <= 37) style = byNumber.get(number) ?? plain
	}
	return style
}
