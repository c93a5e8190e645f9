/**
 * Broadcasts as hints. One that does not fit is dropped: nothing depends on a hint, and what it might have
 * said is found by the next one, by a heartbeat, or by the pull after a join.
 */
import * as v from 'valibot'
import type { AccountHint, SessionHint } from './gateway.ts'
import * as schemas from './schemas.ts'

/** A broadcast of `session:<session>`. */
export function sessionHint(session: string, event: string, payload: unknown): SessionHint | null {
	if (event === 'messages') {
		const hint = v.safeParse(schemas.messagesHint, payload)
		const fits = hint.success && hint.output.session === session
		return fits ? { type: 'messages', ...hint.output } : null
	}
	if (event === 'frame') {
		const hint = v.safeParse(schemas.frameHint, payload)
		return hint.success ? { type: 'frame', ...hint.output } : null
	}
	if (event === 'heartbeat') {
		const hint = v.safeParse(schemas.heartbeatHint, payload)
		return hint.success ? { type: 'heartbeat', ...hint.output } : null
	}
	return null
}

/** A broadcast of `account:<id>`. */
export function accountHint(event: string, payload: unknown): AccountHint | null {
	if (event === 'sessions') {
		const hint = v.safeParse(schemas.sessionsHint, payload)
		return hint.success ? { type: 'sessions', ...hint.output } : null
	}
	if (event === 'log') {
		const hint = v.safeParse(schemas.logHint, payload)
		return hint.success ? { type: 'log', ...hint.output } : null
	}
	if (event === 'request') {
		const hint = v.safeParse(schemas.requestHint, payload)
		return hint.success ? { type: 'request', ...hint.output } : null
	}
	if (event === 'mail') {
		const hint = v.safeParse(schemas.mailHint, payload)
		if (!hint.success) return null
		// Too large for a broadcast: whoever it is for pulls it.
		return hint.output.mail ? { type: 'mail', mail: hint.output.mail } : { type: 'joined' }
	}
	return null
}
