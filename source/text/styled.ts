/**
 * Lines ready to be drawn: safe text with the role it plays. Roles, not colours: the theme maps them. Plain
 * data, so lines can be cached, compared and sent anywhere.
 */
import {
	joinText,
	repeatText,
	type SafeText,
	safeText,
	sliceText,
	splitLines,
} from './safe-text.ts'
import { fits, fitWidth, textWidth } from './width.ts'

export type Style =
	| 'plain'
	| 'dim'
	| 'strong'
	| 'emphasis'
	| 'struck'
	| 'code'
	/** Parts of highlighted code. */
	| 'keyword'
	| 'name'
	| 'string'
	| 'number'
	| 'comment'
	| 'heading'
	| 'link'
	| 'quote'
	| 'added'
	| 'removed'
	/** The changed words of an added or removed line. */
	| 'addedWord'
	| 'removedWord'
	| 'hunk'
	| 'error'
	| 'ok'
	| 'warn'
	| 'accent'
	| 'prompt'
	| 'thinking'
	/** What stands for a character that would not be seen. */
	| 'hidden'
	/** A row that has to be seen: red from one side to the other. */
	| 'alarm'
	/** What was looked for, and the one of it that is gone to. */
	| 'match'
	| 'matchHere'

export interface Span {
	readonly text: SafeText
	readonly style: Style
}

export type StyledLine = readonly Span[]

export const emptyLine: StyledLine = []

export function span(text: SafeText, style: Style = 'plain'): Span {
	return { text, style }
}

/** One line a line of `text`, all of one style. */
export function styledLines(text: SafeText, style: Style = 'plain'): StyledLine[] {
	return splitLines(text).map((line) => (line === '' ? emptyLine : [span(line, style)]))
}

/** Spans whose text may hold newlines as the lines that they are. */
export function splitSpans(spans: readonly Span[]): StyledLine[] {
	const lines: Span[][] = [[]]
	for (const { text, style } of spans) {
		for (const [index, piece] of splitLines(text).entries()) {
			if (index > 0) lines.push([])
			if (piece !== '') lines.at(-1)?.push({ text: piece, style })
		}
	}
	return lines
}

export function lineText(line: StyledLine): SafeText {
	return joinText(line.map(({ text }) => text))
}

export function lineWidth(line: StyledLine): number {
	return line.reduce((width, { text }) => width + textWidth(text), 0)
}

/** Whether the line takes no more than `columns`. Costs what fits, not the line. */
export function lineFits(line: StyledLine, columns: number): boolean {
	let room = columns
	for (const { text } of line) {
		if (!fits(text, room)) return false
		room -= textWidth(text)
	}
	return room >= 0
}

/** Whether both look the same, piece by piece. */
export function isSameLine(one: StyledLine, other: StyledLine): boolean {
	if (one === other) return true
	if (one.length !== other.length) return false
	return one.every((piece, index) => {
		const same = other[index]
		return piece.text === same?.text && piece.style === same.style
	})
}

/** `count` spaces. */
export function spaces(count: number, style: Style = 'plain'): Span {
	return span(repeatText(safeText` `, count), style)
}

export function padLine(
	line: StyledLine,
	width: number,
	align: 'left' | 'right' | 'center' = 'left',
	style: Style = 'plain',
): StyledLine {
	const missing = width - lineWidth(line)
	if (missing <= 0) return line
	if (align === 'left') return [...line, spaces(missing, style)]
	if (align === 'right') return [spaces(missing, style), ...line]
	const before = missing >> 1
	return [spaces(before, style), ...line, spaces(missing - before, style)].filter(
		({ text }) => text !== '',
	)
}

/** The line in at most `width` columns; `…` at its end stands for what was cut. */
export function truncateLine(line: StyledLine, width: number): StyledLine {
	if (width <= 0) return emptyLine
	if (lineFits(line, width)) return line
	const kept: Span[] = []
	let room = width - 1
	for (const { text, style } of line) {
		const end = fitWidth(text, room)
		const piece = sliceText(text, 0, end)
		if (piece !== '') kept.push({ text: piece, style })
		room -= textWidth(piece)
		if (end < text.length) {
			kept.push({ text: safeText`…`, style })
			return kept
		}
	}
	return kept
}

/**
 * The same text, where it has the style `over`, in the styles that it has in `other`; what is plain there
 * keeps its own. The line as it is, where the other one's text is another.
 */
export function restyled(line: StyledLine, other: StyledLine, over: Style): StyledLine {
	if (lineText(line) !== lineText(other)) return line
	const spans: Span[] = []
	const rest = [...other]
	let used = 0
	for (const { text, style } of line) {
		for (let at = 0; at < text.length; ) {
			const next = rest[0]
			if (!next) return line
			const end = Math.min(text.length, at + next.text.length - used)
			const own = style === over && next.style !== 'plain' ? next.style : style
			spans.push(span(sliceText(text, at, end), own))
			used += end - at
			at = end
			if (used === next.text.length) {
				rest.shift()
				used = 0
			}
		}
	}
	return compactLine(spans)
}

/** Joins neighbours of one style and drops empty spans. */
export function compactLine(line: StyledLine): StyledLine {
	const compact: Span[] = []
	for (const { text, style } of line) {
		const last = compact.at(-1)
		if (text === '') continue
		if (last?.style === style)
			compact[compact.length - 1] = span(joinText([last.text, text]), style)
		else compact.push({ text, style })
	}
	return compact
}
