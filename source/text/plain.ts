/** What commands print, and data, as styled lines. */
import { colouredLines, isColoured } from './ansi.ts'
import { capLine, maxLineColumns, moreLines } from './caps.ts'
import { displayText, revealText, type SafeText, safeText, splitLines } from './safe-text.ts'
import { lineFits, lineText, type Style, type StyledLine, span, styledLines } from './styled.ts'
import { wrapLine } from './wrap.ts'

export interface Folded<T> {
	head: readonly T[]
	/** Left out between head and tail. */
	hidden: number
	tail: readonly T[]
}

/**
 * Keeps at most `limit` items: most from the start, a third from the end, where a command says how it
 * went. Nothing is folded away to save a single line.
 */
export function fold<T>(items: readonly T[], limit: number): Folded<T> {
	if (items.length <= limit + 1) return { head: items, hidden: 0, tail: [] }
	const tail = Math.floor(limit / 3)
	const head = limit - tail
	return {
		head: items.slice(0, head),
		hidden: items.length - limit,
		tail: items.slice(items.length - tail),
	}
}

/** The lines that a command left on its terminal: what it overwrote with a carriage return is gone. */
export function outputLines(raw: string): SafeText[] {
	const lines = splitLines(displayText(raw.includes('\r') ? settle(raw) : raw))
	while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop()
	return lines
}

function settle(raw: string): string {
	return raw
		.split('\n')
		.map((line) => {
			const kept = trimReturns(line)
			return kept.slice(kept.lastIndexOf('\r') + 1)
		})
		.join('\n')
}

function trimReturns(line: string): string {
	let end = line.length
	while (line[end - 1] === '\r') end--
	return line.slice(0, end)
}

/** As `outputLines`, in the colours that the command gave them; what is kept of it, each line capped. */
function foldedOutput(raw: string, style: Style, limit: number): Folded<StyledLine> {
	if (!isColoured(raw)) {
		const capped = (line: SafeText): StyledLine => [span(capLine(line).text, style)]
		const { head, hidden, tail } = fold(outputLines(raw), limit)
		return { head: head.map(capped), hidden, tail: tail.map(capped) }
	}
	const lines = colouredLines(raw.includes('\r') ? settle(raw) : raw, style)
	while (lines.length > 0 && lineText(lines.at(-1) ?? []).trim() === '') lines.pop()
	const capped = (line: StyledLine): StyledLine =>
		lineFits(line, maxLineColumns) ? line : [span(capLine(lineText(line)).text, style)]
	const { head, hidden, tail } = fold(lines, limit)
	return { head: head.map(capped), hidden, tail: tail.map(capped) }
}

export interface OutputOptions {
	/** At most so many lines of output. Default: all. */
	limit?: number
	style?: Style
	/** Stands in the place of lines that are left out. Default: how many they are. */
	more?: (hidden: number) => SafeText
}

/** Output of a command in lines of at most `width` columns, folded, long lines capped. */
export function commandOutput(
	raw: string,
	width: number,
	options: OutputOptions = {},
): StyledLine[] {
	const { limit = Number.POSITIVE_INFINITY, style = 'plain', more = moreLines } = options
	const { head, hidden, tail } = foldedOutput(raw, style, limit)
	const laidOut = (lines: readonly StyledLine[]) =>
		lines.flatMap((line) => wrapLine(line, width, { mode: 'columns' }))
	if (hidden === 0) return laidOut(head)
	return [...laidOut(head), [span(more(hidden), 'dim')], ...laidOut(tail)]
}

/** JSON data, indented, hidden characters shown, in lines of at most `width` columns. */
export function jsonLines(value: unknown, width: number, limit?: number): StyledLine[] {
	// Only what is folded anyway is capped: the whole of something is asked for to decide on it.
	const cap = (line: SafeText) => (limit === undefined ? line : capLine(line).text)
	const text = revealText(JSON.stringify(value, null, 2) ?? 'null')
	const { head, hidden, tail } = fold(splitLines(text), limit ?? Number.POSITIVE_INFINITY)
	const laidOut = (lines: readonly SafeText[]) =>
		lines.flatMap((line) =>
			styledLines(cap(line), 'code').flatMap((each) => wrapLine(each, width, { mode: 'columns' })),
		)
	if (hidden === 0) return laidOut(head)
	return [...laidOut(head), [span(moreLines(hidden), 'dim')], ...laidOut(tail)]
}

/** The first line of a text, for one-line summaries; `…` says that there is more. */
export function firstLine(text: SafeText): SafeText {
	const [line = safeText``, ...more] = splitLines(text)
	return more.some((each) => each.trim() !== '') ? safeText`${line} …` : line
}
