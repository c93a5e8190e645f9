/** One session in the list: in one line, or in two where a line has no room for its title. */

import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, padLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { formatUsd, relativeTime } from '../../text/time.ts'
import type { SessionSummary } from '../../viewer/viewer.ts'
import { deviceName } from './device-name.ts'
import { sessionState } from './session-state.ts'
import { keepRight } from './sides.ts'

/** Widths from which on a line has room for more, besides a title and where that has a line of its own. */
const widths = {
	beside: { agent: 48, word: 58, cost: 66, host: 90 },
	alone: { agent: 24, word: 48, cost: 40, host: 24 },
}
/** Columns that a title has at least; with less it is left out. */
const leastTitle = 8
const hostColumns = 14

export interface RowOptions {
	width: number
	/** ms since the epoch. */
	now: number
	/** Columns of the names. */
	names: number
	/** 1 or 2. */
	lines: number
}

/** Project, or title, or the start of the id. */
export function sessionName({ project, title, id }: SessionSummary): SafeText {
	return oneLine(project ?? title ?? id.slice(0, 8))
}

/** Columns that a session's name takes. Kept by the session, which is never changed in place. */
export function nameWidth(session: SessionSummary): number {
	const known = nameWidths.get(session)
	if (known !== undefined) return known
	const width = lineWidth([nameSpan(session)])
	nameWidths.set(session, width)
	return width
}

const nameWidths = new WeakMap<SessionSummary, number>()

function nameSpan(session: SessionSummary) {
	return span(sessionName(session), session.pending > 0 ? 'strong' : 'plain')
}

/** What the name does not say already. */
function titleOf({ title, project }: SessionSummary): SafeText | null {
	return title !== null && project !== null ? oneLine(title) : null
}

/** Exactly `lines` lines of `width` columns at most. */
export function sessionRow(session: SessionSummary, options: RowOptions): StyledLine[] {
	return options.lines > 1 ? inTwo(session, options) : [inOne(session, options)]
}

function inOne(session: SessionSummary, { width, now, names }: RowOptions): StyledLine {
	const title = titleOf(session)
	const right = rightOf(session, widths.beside, { width, now, titled: title !== null })
	const room = width - lineWidth(right) - 2 - 1
	const columns = Math.min(names, Math.max(10, Math.floor(room / 2)))
	if (title === null || room - columns - 2 < leastTitle) {
		return keepRight([...sign(session), nameSpan(session)], right, width)
	}
	const name = padLine(truncateLine([nameSpan(session)], columns), columns)
	const left = [...sign(session), ...name, span(safeText`  ${title}`, 'dim')]
	return keepRight(left, right, width)
}

function inTwo(session: SessionSummary, { width, now }: RowOptions): StyledLine[] {
	const right = rightOf(session, widths.alone, { width, now, titled: false })
	const host = width >= widths.alone.host ? [...hostPart(session), span(safeText` `)] : []
	const title = titleOf(session) ?? oneLine(session.cwd ?? '')
	return [
		keepRight([...sign(session), nameSpan(session)], right, width),
		keepRight([span(safeText`  ${title}`, 'dim')], host, width),
	]
}

function sign(session: SessionSummary): StyledLine {
	const state = sessionState(session)
	return [span(safeText`${state.sign} `, state.style)]
}

function rightOf(
	session: SessionSummary,
	from: (typeof widths)['beside'],
	{ width, now, titled }: { width: number; now: number; titled: boolean },
): StyledLine {
	const { word, style } = sessionState(session)
	const agent = padLine(truncateLine([span(oneLine(session.agent), 'dim')], 8), 8)
	const when = padLine([span(relativeTime(session.lastActivityAt, now), 'dim')], 5, 'right')
	const cost = session.costUsd > 0 ? [span(formatUsd(session.costUsd), 'dim')] : []
	return [
		...(from === widths.beside && width >= from.host
			? [...padLine(hostPart(session), hostColumns), span(safeText` `)]
			: []),
		...(width >= from.word ? padLine([span(word, style), span(safeText` `)], 9) : []),
		...(width >= from.agent || !titled ? agent : []),
		...when,
		...(width >= from.cost ? padLine(cost, 8, 'right') : []),
		span(safeText` `),
	]
}

function hostPart({ host }: SessionSummary): StyledLine {
	return truncateLine([span(deviceName(host.id, host.name), 'dim')], hostColumns)
}
