/** What handing over keys came to, in a sentence or two. */
import type { Shared } from '../../account/sharing.ts'

export function sharedText({ sessions, granted, unreadable }: Shared): string {
	const keys = `${granted} ${granted === 1 ? 'key' : 'keys'}`
	const scopes = `${sessions} ${sessions === 1 ? 'session' : 'sessions'}`
	const given =
		granted === 0 ? 'There was nothing more to hand over.' : `It got ${keys}, of ${scopes}.`
	if (unreadable === 0) return given
	const which = unreadable === 1 ? '1 session' : `${unreadable} sessions`
	return `${given} Of ${which} this device does not hold all keys itself: "styrby-tui devices share" on another device can give them.`
}
