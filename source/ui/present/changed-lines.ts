/** What a person changed in a request: what it was and what it is to be, line by line, nothing cut. */
import { revealSpans } from '../../text/reveal.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type Style, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import { editableText } from '../changed-input.ts'
import type { Size } from '../state.ts'

/** Rows that are left to everything else on the screen. */
const reserved = 8

/** The lines that differ, with a line around them. */
export function changeDiff(before: unknown, after: unknown, columns: number): StyledLine[] {
	const old = editableText(before).split('\n')
	const now = editableText(after).split('\n')
	let head = 0
	while (head < old.length && head < now.length && old[head] === now[head]) head++
	let tail = 0
	while (
		tail < old.length - head &&
		tail < now.length - head &&
		old[old.length - 1 - tail] === now[now.length - 1 - tail]
	) {
		tail++
	}
	return [
		...lines(old.slice(Math.max(0, head - 1), head), safeText`   `, 'dim', columns),
		...lines(old.slice(head, old.length - tail), safeText` − `, 'removed', columns),
		...lines(now.slice(head, now.length - tail), safeText` + `, 'added', columns),
		...lines(now.slice(now.length - tail).slice(0, 1), safeText`   `, 'dim', columns),
	]
}

/** Whether all of it can be seen at once. */
export function fits(diff: readonly StyledLine[], { rows }: Size): boolean {
	return diff.length <= Math.max(1, rows - reserved)
}

function lines(texts: readonly string[], mark: SafeText, style: Style, columns: number) {
	return texts.flatMap((text) =>
		wrapLine(revealSpans(text, style), columns, {
			mode: 'columns',
			first: [span(mark, style)],
			rest: [span(safeText`   `)],
		}),
	)
}
