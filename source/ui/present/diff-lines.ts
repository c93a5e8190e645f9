import type { FileChange } from '../../protocol/events.ts'
import { changeLines, changeWords, diffStats } from '../../text/diff.ts'
import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'

/** A change of one file: its whole path, how much changes, then every line of it. */
export function diffLines(change: FileChange, width: number): StyledLine[] {
	const { added, removed } = diffStats([change])
	const head = [
		span(safeText`✎ `, 'accent'),
		span(oneLine(change.path), 'code'),
		...changeWords(change),
		span(safeText`  +${added}`, 'added'),
		span(safeText` −${removed}`, 'removed'),
	]
	return [...wrapLine(head, width, { mode: 'columns' }), ...changeLines(change, width)]
}
