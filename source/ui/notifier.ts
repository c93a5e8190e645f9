/** Tells of new requests outside of the screen: terminal title, bell, desktop notification. */
import { type Desktop, desktopBy, type NotificationWay, notificationWay } from './notification.ts'

export interface Notifications {
	/** The terminal's title says how many requests wait. */
	title: boolean
	/** Rings once for new requests. */
	bell: boolean
	/** The terminal's own way to the desktop's notifications: found out (`true`), named, or none. */
	osc: boolean | NotificationWay
}

export const defaultNotifications: Notifications = { title: true, bell: true, osc: true }

export interface Notifier {
	/** Ids of all requests that wait; `read`: the backend has said which. What waits then is no news. */
	update(waiting: readonly string[], read: boolean): void
	/** Takes the title; the one before is kept by the terminal. */
	begin(): void
	/** Writes what went wrong to the log. */
	log(error: unknown): void
	/** Gives the title back, and takes away a notification that still stands. */
	end(): void
}

const saveTitle = '\u001B[22;2t'
const restoreTitle = '\u001B[23;2t'
const bell = '\u0007'

export interface NotifierOptions extends Notifications {
	env: Readonly<Record<string, string | undefined>>
	write(data: string): void
	log?(error: unknown): void
}

/**
 * Everything written is ours: no word of a request or a name leaves the screen this way, so nothing of it
 * ends in the log of a notification service.
 */
export function notifier(options: NotifierOptions): Notifier {
	const { bell: rings, env, write, log = () => undefined } = options
	// A console without titles may print them.
	const title = options.title && env.TERM !== 'linux'
	const desktop = desktopOf(options)
	let known: ReadonlySet<string> | null = null
	let shown: number | null = null
	let standing = false
	const withdraw = () => {
		if (standing && desktop) write(desktop.withdraw())
		standing = false
	}
	return {
		begin() {
			if (title) write(saveTitle)
			shown = null
		},
		update(waiting, read) {
			if (title && shown !== waiting.length) write(titleOf(waiting.length))
			shown = waiting.length
			if (!read) return
			const fresh = known === null ? [] : waiting.filter((id) => !known?.has(id))
			// Once is enough for each: an id that was rung for stays known.
			known = new Set([...(known ?? []), ...waiting])
			if (waiting.length === 0) withdraw()
			if (fresh.length === 0) return
			if (rings) write(bell)
			if (!desktop) return
			write(desktop.notify(textOf(waiting.length)))
			standing = true
		},
		log,
		end() {
			withdraw()
			if (title) write(restoreTitle)
		},
	}
}

function desktopOf({ osc, env }: NotifierOptions): Desktop | null {
	const way = osc === true ? notificationWay(env) : osc
	return way === false || way === null ? null : desktopBy(way, env)
}

function titleOf(waiting: number): string {
	return `\u001B]2;${waiting > 0 ? `(${waiting}) ` : ''}styrby\u0007`
}

function textOf(waiting: number): string {
	return waiting === 1
		? 'An agent asks for permission'
		: `Agents ask for permission: ${waiting} requests wait`
}
