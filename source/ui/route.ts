import { type SafeText, safeText } from '../text/safe-text.ts'
import { noFacts } from '../viewer/unread.ts'
import type { SessionSummary } from '../viewer/viewer.ts'
import type { SessionRoute } from './keymap/command.ts'
import type { Snapshot } from './snapshot.ts'
import { type Screen, topScreen, type UiState } from './state.ts'

/** The session on the screen, and what can be sent to it. */
export function routeOf({ ui, data }: { ui: UiState; data: Snapshot }): SessionRoute | null {
	const session = sessionOf(topScreen(ui))
	if (session === null) return null
	const facts = data.open?.session === session ? data.open.state.facts : noFacts
	return { session, facts, closed: closedBy(data, session), busy: isBusy(summaryOf(data, session)) }
}

function sessionOf(screen: Screen): string | null {
	switch (screen.name) {
		case 'session':
		case 'prompt':
		case 'interrupt':
		case 'modes':
			return screen.session
		default:
			return null
	}
}

function summaryOf(data: Snapshot, session: string): SessionSummary | null {
	const opened = data.open?.session === session ? data.open.state.summary : null
	return data.sessions.find(({ id }) => id === session) ?? opened
}

/** The agent works, or waits for an answer to go on. */
function isBusy(summary: SessionSummary | null): boolean {
	return summary !== null && (summary.status === 'running' || summary.pending > 0)
}

function closedBy(data: Snapshot, session: string): SafeText | null {
	const summary = summaryOf(data, session)
	if (!summary) return safeText`This session is still being looked up.`
	if (summary.endedAt !== null) return safeText`This session has ended: nothing is sent to it.`
	const host = data.devices.devices.find(({ id }) => id === summary.host.id)
	if (host?.state === 'revoked') {
		return safeText`The device that hosts this session was revoked: nothing is sent to it.`
	}
	if (summary.stale) return safeText`The host of this session is silent: nothing is sent to it.`
	return data.info.alarm === null
		? null
		: safeText`The device log does not verify: nothing is sent to anyone.`
}
