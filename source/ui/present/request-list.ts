import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { padLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { relativeTime } from '../../text/time.ts'
import type { DecisionState, RequestView } from '../../viewer/viewer.ts'
import { isFinal, ladderLine } from './ladder.ts'
import { requestSummary, riskSpan } from './request-card.ts'
import type { ListRow } from './session-list.ts'
import { keepRight } from './sides.ts'
import { leftText } from './times.ts'

/** From this width on a row has room for the time left, which the request itself shows too. */
const widthForTime = 50
const timeColumns = 12

/** Requests as they are listed: those that wait, oldest first; then past ones, newest first. */
export function requestRows(
	requests: readonly RequestView[],
	decisions: ReadonlyMap<string, DecisionState>,
	width: number,
	now: number,
): ListRow[] {
	const waiting = requests.filter(({ status }) => status === 'pending')
	const past = requests.filter(({ status }) => status !== 'pending')
	const row = (request: RequestView): ListRow => ({
		id: request.id,
		line: requestRow(request, decisions.get(request.id) ?? null, width, now),
	})
	return [
		...(waiting.length === 0
			? heading(safeText`nothing waits for you`, width)
			: heading(safeText`waiting for you ${waiting.length}`, width)),
		...waiting.map(row),
		...(past.length === 0 ? [] : heading(safeText`answered ${past.length}`, width)),
		...past.map(row),
	]
}

function heading(text: SafeText, width: number): ListRow[] {
	return [{ id: null, line: truncateLine([span(text, 'dim')], width) }]
}

const pastSigns: Readonly<Record<Exclude<RequestView['status'], 'pending'>, StyledLine>> = {
	approved: [span(safeText`✓ `, 'ok'), span(safeText`allowed `, 'dim')],
	denied: [span(safeText`✗ `, 'warn'), span(safeText`denied  `, 'dim')],
	expired: [span(safeText`✗ `, 'dim'), span(safeText`expired `, 'dim')],
	cancelled: [span(safeText`· `, 'dim'), span(safeText`gone    `, 'dim')],
}

function requestRow(
	request: RequestView,
	decision: DecisionState | null,
	width: number,
	now: number,
): StyledLine {
	const name = span(oneLine(request.project ?? request.agent), 'strong')
	const summary = span(safeText`  ${requestSummary(request)}`)
	if (request.status !== 'pending') {
		const when = request.decided?.at ?? request.createdAt
		const right = [span(relativeTime(when, now), 'dim'), span(safeText` `)]
		return keepRight([...pastSigns[request.status], name, summary], right, width)
	}
	if (decision && !isFinal(decision.stage)) {
		return keepRight(
			[span(safeText`… `, 'accent'), name, span(safeText`  `), ...ladderLine(decision)],
			[],
			width,
		)
	}
	const left = padLine([span(leftText(request.expiresAt, now), 'dim')], timeColumns, 'right')
	const right = [
		...padLine([riskSpan(request.risk)], 7),
		...(width >= widthForTime ? left : []),
		span(safeText` `),
	]
	return keepRight([span(safeText`⚠ `, 'warn'), name, summary], right, width)
}
