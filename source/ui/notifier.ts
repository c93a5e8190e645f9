/** Tells of new requests outside of the screen: terminal title, bell, desktop notification. */

export interface Notifications {
	/** The terminal's title says how many requests wait. */
	title: boolean
	/** Rings once for new requests. */
	bell: boolean
	/** The terminal's own way to the desktop's notifications, where it has one. */
	desktop: 'off' | 'osc9' | 'osc777'
}

export const defaultNotifications: Notifications = { title: true, bell: true, desktop: 'off' }

export interface Notifier {
	/** Ids of all requests that wait. */
	update(waiting: readonly string[]): void
	/** Takes the title; the one before is kept by the terminal. */
	begin(): void
	/** Writes what went wrong to the log. */
	log(error: unknown): void
	/** Gives the title back. */
	end(): void
}

const saveTitle = '\u001B[22;2t'
const restoreTitle = '\u001B[23;2t'
const bell = '\u0007'

/**
 * Everything written is ours: no word of a request or a name leaves the screen this way, so nothing of it
 * ends in the log of a notification service.
 */
export function notifier(
	write: (data: string) => void,
	{ title, bell: rings, desktop }: Notifications,
	log: (error: unknown) => void = () => undefined,
): Notifier {
	let known: ReadonlySet<string> | null = null
	let shown: number | null = null
	return {
		begin() {
			if (title) write(saveTitle)
			shown = null
		},
		update(waiting) {
			const fresh = known === null ? [] : waiting.filter((id) => !known?.has(id))
			// Once is enough for each: an id that was rung for stays known.
			known = new Set([...(known ?? []), ...waiting])
			if (title && shown !== waiting.length) write(titleOf(waiting.length))
			shown = waiting.length
			if (fresh.length === 0) return
			if (rings) write(bell)
			if (desktop !== 'off') write(notification(desktop))
		},
		log,
		end() {
			if (title) write(restoreTitle)
		},
	}
}

function titleOf(waiting: number): string {
	return `\u001B]2;${waiting > 0 ? `(${waiting}) ` : ''}styrby\u0007`
}

function notification(way: 'osc9' | 'osc777'): string {
	const text = 'An agent asks for permission'
	return way === 'osc9' ? `\u001B]9;${text}\u0007` : `\u001B]777;notify;styrby;${text}\u0007`
}
