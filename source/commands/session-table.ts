import { oneLine } from '../text/one-line.ts'
import { formatUsd, relativeTime } from '../text/time.ts'
import { padText, truncateText } from '../text/width.ts'
import type { SessionSummary } from '../viewer/viewer.ts'

const empty = `No sessions yet. Start an agent with "styrby-tui run claude", or bring old ones in with "styrby-tui import ~/.claude/projects".\n`

const noneFits = 'No session fits. Without options, "styrby-tui sessions" lists the newest 50.\n'

/** The word and mark for a session's state; the mark never stands alone. */
export function stateOf(session: SessionSummary): string {
	if (session.pending > 0) return '⚠ waiting'
	if (session.stale) return '? silent'
	return session.status === 'running' || session.status === 'starting'
		? `● ${session.status}`
		: `  ${session.status}`
}

/** Sessions as a table, one a line, `width` columns at most. `filtered`: others may be there. */
export function sessionTable(
	sessions: readonly SessionSummary[],
	{ now, width, filtered }: { now: Date; width: number; filtered: boolean },
): string {
	if (sessions.length === 0) return filtered ? noneFits : empty
	const rows = sessions.map((session) => [
		session.id.slice(0, 8),
		oneLine(stateOf(session)),
		oneLine(session.agent),
		oneLine(session.project ?? '–'),
		relativeTime(Date.parse(session.lastActivityAt), now.getTime()),
		formatUsd(session.costUsd),
		oneLine(session.problem === null ? (session.title ?? '') : `✗ ${session.problem}`),
	])
	const widths = [8, 10, 8, 16, 4, 7]
	return rows
		.map((row) => {
			const cells = row.map((cell, column) => {
				const size = widths[column]
				return size === undefined ? cell : padText(truncateText(cell, size), size)
			})
			return `${truncateText(cells.join('  '), width).trimEnd()}\n`
		})
		.join('')
}
