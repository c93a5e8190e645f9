import { type SafeText, safeText } from '../../text/safe-text.ts'
import { padLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { formatUsd, relativeTime } from '../../text/time.ts'
import type { SessionSummary } from '../../viewer/viewer.ts'
import { oneLine } from './one-line.ts'
import { groupOf, type SessionGroup, sessionState } from './session-state.ts'
import { keepRight } from './sides.ts'

const groups: readonly SessionGroup[] = ['waiting', 'live', 'earlier']

const groupNames: Readonly<Record<SessionGroup, SafeText>> = {
	waiting: safeText`waiting for you`,
	live: safeText`live`,
	earlier: safeText`earlier`,
}

/** A row of a list: a heading, or an entry that can be highlighted. */
export interface ListRow {
	id: string | null
	line: StyledLine
}

/** Sessions as they are listed: those that wait, live ones, earlier ones; each newest first. */
export function sessionOrder(sessions: readonly SessionSummary[]): readonly SessionSummary[] {
	return groups.flatMap((group) => sessions.filter((session) => groupOf(session) === group))
}

export function sessionRows(
	sessions: readonly SessionSummary[],
	width: number,
	now: number,
): ListRow[] {
	return groups.flatMap((group) => {
		const members = sessions.filter((session) => groupOf(session) === group)
		if (members.length === 0) return []
		const heading = truncateLine(
			[span(safeText`${groupNames[group]} ${members.length}`, 'dim')],
			width,
		)
		return [
			{ id: null, line: heading },
			...members.map((session) => ({ id: session.id, line: sessionRow(session, width, now) })),
		]
	})
}

/** Project, or title, or the start of the id. */
export function sessionName({ project, title, id }: SessionSummary): SafeText {
	return oneLine(project ?? title ?? id.slice(0, 8))
}

function sessionRow(session: SessionSummary, width: number, now: number): StyledLine {
	const { sign, word, style } = sessionState(session)
	const agent = padLine(truncateLine([span(oneLine(session.agent), 'dim')], 8), 8)
	const when = padLine([span(relativeTime(session.lastActivityAt, now), 'dim')], 5, 'right')
	const right: StyledLine = [
		...(width >= 50 ? padLine([span(word, style), span(safeText` `)], 9) : []),
		...agent,
		...when,
		...(width >= 40 ? padLine([span(formatUsd(session.costUsd), 'dim')], 8, 'right') : []),
		span(safeText` `),
	]
	const name = sessionName(session)
	const title = session.title !== null && session.project !== null ? oneLine(session.title) : null
	const left: StyledLine = [
		span(safeText`${sign} `, style),
		span(name, session.pending > 0 ? 'strong' : 'plain'),
		...(title === null || width < 60 ? [] : [span(safeText`  ${title}`, 'dim')]),
	]
	return keepRight(left, right, width)
}
