import { type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, padLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { formatUsd, relativeTime } from '../../text/time.ts'
import type { RequestView, SessionSummary } from '../../viewer/viewer.ts'
import type { Snapshot } from '../snapshot.ts'
import { oneLine } from './one-line.ts'
import { groupOf, type SessionGroup, sessionState } from './session-state.ts'
import { keepRight } from './sides.ts'

const groups: readonly SessionGroup[] = ['waiting', 'live', 'earlier']

const groupNames: Readonly<Record<SessionGroup, SafeText>> = {
	waiting: safeText`waiting for you`,
	live: safeText`live`,
	earlier: safeText`earlier`,
}

/** Widths from which on a row has room for more. */
const widths = { cost: 40, word: 50, title: 60 }
/** The names of projects stand in a column of at most so many. */
const nameColumns = 24

/** A row of a list: a heading, or an entry that can be highlighted. */
export interface ListRow {
	id: string | null
	line: StyledLine
}

/**
 * Sessions as they are listed: those that wait, the oldest request first; live ones, last started first;
 * earlier ones, last active first. Live ones do not change places whenever one of them says something.
 */
export function sessionOrder({
	sessions,
	requests,
}: Pick<Snapshot, 'sessions' | 'requests'>): readonly SessionSummary[] {
	return grouped({ sessions, requests }).flatMap(({ members }) => members)
}

function grouped({ sessions, requests }: Pick<Snapshot, 'sessions' | 'requests'>) {
	const since = waitingSince(requests)
	const orders: Readonly<Record<SessionGroup, (session: SessionSummary) => number>> = {
		waiting: ({ id, startedAt }) => since.get(id) ?? Date.parse(startedAt),
		live: ({ startedAt }) => -Date.parse(startedAt),
		earlier: ({ lastActivityAt }) => -Date.parse(lastActivityAt),
	}
	return groups.map((group) => ({
		group,
		members: sessions
			.filter((session) => groupOf(session) === group)
			.toSorted((a, b) => orders[group](a) - orders[group](b) || (a.id < b.id ? -1 : 1)),
	}))
}

/** When the oldest request that waits was made, by session, in ms. */
function waitingSince(requests: readonly RequestView[]): ReadonlyMap<string, number> {
	const since = new Map<string, number>()
	for (const { session, status, createdAt } of requests) {
		if (status !== 'pending') continue
		const at = Date.parse(createdAt)
		since.set(session, Math.min(at, since.get(session) ?? at))
	}
	return since
}

export function sessionRows(
	data: Pick<Snapshot, 'sessions' | 'requests'>,
	width: number,
	now: number,
): ListRow[] {
	const names = Math.max(0, ...data.sessions.map((session) => lineWidth([nameSpan(session)])))
	const options = { width, now, names: Math.min(nameColumns, names) }
	return grouped(data).flatMap(({ group, members }) => {
		if (members.length === 0) return []
		const heading = truncateLine(
			[span(safeText`${groupNames[group]} ${members.length}`, 'dim')],
			width,
		)
		return [
			{ id: null, line: heading },
			...members.map((session) => ({ id: session.id, line: sessionRow(session, options) })),
		]
	})
}

/** Project, or title, or the start of the id. */
export function sessionName({ project, title, id }: SessionSummary): SafeText {
	return oneLine(project ?? title ?? id.slice(0, 8))
}

function nameSpan(session: SessionSummary) {
	return span(sessionName(session), session.pending > 0 ? 'strong' : 'plain')
}

function sessionRow(
	session: SessionSummary,
	{ width, now, names }: { width: number; now: number; names: number },
): StyledLine {
	const { sign, word, style } = sessionState(session)
	const agent = padLine(truncateLine([span(oneLine(session.agent), 'dim')], 8), 8)
	const when = padLine([span(relativeTime(session.lastActivityAt, now), 'dim')], 5, 'right')
	const cost = session.costUsd > 0 ? [span(formatUsd(session.costUsd), 'dim')] : []
	const right: StyledLine = [
		...(width >= widths.word ? padLine([span(word, style), span(safeText` `)], 9) : []),
		...agent,
		...when,
		...(width >= widths.cost ? padLine(cost, 8, 'right') : []),
		span(safeText` `),
	]
	const title = session.title !== null && session.project !== null ? oneLine(session.title) : null
	const withTitle = title !== null && width >= widths.title
	const name = truncateLine([nameSpan(session)], withTitle ? names : width)
	const left: StyledLine = [
		span(safeText`${sign} `, style),
		...(withTitle ? padLine(name, names) : name),
		...(withTitle ? [span(safeText`  ${title}`, 'dim')] : []),
	]
	return keepRight(left, right, width)
}
