import { type SafeText, safeText } from '../../text/safe-text.ts'
import type { Style } from '../../text/styled.ts'
import type { SessionSummary } from '../../viewer/viewer.ts'

export type SessionGroup = 'waiting' | 'live' | 'earlier'

const running: ReadonlySet<string> = new Set(['starting', 'running', 'idle'])

/** Said to be running, and its host was heard of lately. */
export function isLive(session: SessionSummary): boolean {
	return session.endedAt === null && !session.stale && running.has(session.status)
}

export function groupOf(session: SessionSummary): SessionGroup {
	if (session.pending > 0) return 'waiting'
	return isLive(session) ? 'live' : 'earlier'
}

/** A sign and a word for the state: the colour only repeats them. */
export function sessionState(session: SessionSummary): {
	sign: SafeText
	word: SafeText
	style: Style
} {
	if (session.problem !== null) {
		return { sign: safeText`✗`, word: safeText`altered`, style: 'error' }
	}
	if (session.pending > 0) {
		const word = session.stale ? safeText`silent` : safeText`waiting`
		return { sign: safeText`⚠`, word, style: 'warn' }
	}
	if (session.stale) return { sign: safeText`?`, word: safeText`silent`, style: 'warn' }
	if (session.status === 'error')
		return { sign: safeText`✗`, word: safeText`failed`, style: 'error' }
	if (!isLive(session)) return { sign: safeText`·`, word: safeText`ended`, style: 'dim' }
	if (session.status === 'idle') return { sign: safeText`○`, word: safeText`idle`, style: 'ok' }
	if (session.status === 'starting') {
		return { sign: safeText`○`, word: safeText`starting`, style: 'ok' }
	}
	return { sign: safeText`●`, word: safeText`running`, style: 'ok' }
}
