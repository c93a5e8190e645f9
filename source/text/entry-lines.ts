import { oneLine } from './one-line.ts'
import { joinText, revealText, type SafeText, safeText, splitLines } from './safe-text.ts'
import { type Style, type StyledLine, span } from './styled.ts'
import { wrapLine } from './wrap.ts'

/** Lines of the agent's, each behind the gutter: nothing of them can pass for ours. Nothing is cut. */
export function fencedLines(
	text: SafeText,
	width: number,
	gutter: StyledLine,
	style: Style = 'plain',
): StyledLine[] {
	return splitLines(text).flatMap((line) =>
		wrapLine([span(line, style)], width, { mode: 'columns', first: gutter, rest: gutter }),
	)
}

/** One part of a tool's input: `name: value`, or the value on lines of its own. All of it is shown. */
export function entryLines(
	key: string,
	value: unknown,
	width: number,
	gutter: StyledLine,
): StyledLine[] {
	const name = span(safeText`${oneLine(key)}: `, 'dim')
	const lines = splitLines(typeof value === 'string' ? revealText(value) : jsonText(value))
	const [first = safeText``] = lines
	if (lines.length === 1) {
		return wrapLine([name, span(first)], width, { mode: 'columns', first: gutter, rest: gutter })
	}
	return [
		...wrapLine([name], width, { mode: 'columns', first: gutter, rest: gutter }),
		...fencedLines(joinText(lines, safeText`\n`), width, gutter),
	]
}

/** JSON with every character that would not be seen written out; a list of a few plain values on one line. */
export function jsonText(value: unknown): SafeText {
	const short = Array.isArray(value) && value.every((each) => !isNested(each))
	const flat = short ? JSON.stringify(value) : null
	if (flat !== null && flat.length <= 60) return revealText(flat)
	return revealText(JSON.stringify(value, null, 2) ?? '')
}

const isNested = (value: unknown) => typeof value === 'object' && value !== null
