import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span, truncateLine } from '../../text/styled.ts'
import type { Sending, SentState } from '../../viewer/viewer.ts'
import { stageSpans } from './ladder.ts'

const steps = ['sent', 'stored', 'obeyed'] as const
/** What was obeyed is shown for so long, ms; what was not, until something else is sent or the session is over. */
const doneMs = 8000
const most = 2

/** What was sent to a session, and how far it came: the newest last. */
export function sentLines(
	sent: readonly SentState[],
	{ width, now, over }: { width: number; now: number; over: boolean },
): StyledLine[] {
	return sent
		.filter((one, index) => isNews(one, index === sent.length - 1, now, over))
		.slice(-most)
		.map((one) => truncateLine(sentLine(one), width))
}

function isNews(
	{ stage, stages }: SentState,
	newest: boolean,
	now: number,
	over: boolean,
): boolean {
	const ago = now - Date.parse(stages.at(-1)?.at ?? '')
	if (stage === 'refused' || stage === 'failed') return newest && !(over && ago >= doneMs)
	if (stage !== 'obeyed') return true
	return ago < doneMs
}

function sentLine({ what, stage, stages, why }: SentState): StyledLine {
	const reached = new Set<string>(stages.map((one) => one.stage))
	const end = stage === 'refused' || stage === 'failed' ? stage : null
	const because = why === null ? safeText`` : safeText` (${oneLine(why)})`
	return [
		span(safeText`${sendingText(what)}: `, 'strong'),
		...stageSpans(steps, reached, end !== null),
		...(end === null
			? [span(because, 'warn')]
			: [span(safeText`  ✗ ${end === 'refused' ? refused : failed}${because}`, 'error')]),
	]
}

const refused = safeText`refused`
const failed = safeText`failed`

function sendingText(what: Sending): SafeText {
	switch (what.kind) {
		case 'prompt':
			return safeText`prompt`
		case 'interrupt':
			return safeText`interrupt`
		case 'mode':
			return safeText`mode ${oneLine(what.mode)}`
		case 'take_back':
			return safeText`take back`
	}
}
