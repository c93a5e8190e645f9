import type { SafeText } from '../../text/safe-text.ts'
import type { LiveText, ShownMessage } from '../../viewer/viewer.ts'

export const speeds = [1, 2, 4, 8, 16, 32, 64] as const

/** A session as it is played again, at one moment. */
export interface ReplayState {
	session: string
	/** What has happened so far, as far as it is kept: ascending. */
	messages: readonly ShownMessage[]
	hasOlder: boolean
	live: readonly LiveText[]
	/** Number of the last row that has happened, and of the last one that there is. */
	seq: number
	through: number
	/** The time it was then, ISO 8601 UTC; `null` before the first message. */
	at: string | null
	speed: number
	playing: boolean
	ended: boolean
	/** What comes next is being read. */
	loading: boolean
	/** The pause that is being shortened just now: how long it was, ms, and what was waited for. */
	pause: { ms: number; until: 'prompt' | 'answer' | 'result' | 'other' } | null
	problem: SafeText | null
}

/** The name under which its reader's place is kept, apart from that of the session itself. */
export function replayKey(session: string): string {
	return `replay ${session}`
}
