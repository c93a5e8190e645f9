/** Going to a message of the session on the screen, wherever in the session it is. */
import type { App } from '../app.ts'
import type { TranscriptFrame } from '../frame.ts'
import { setAnchor } from '../moving.ts'
import { baseScreen } from '../state.ts'
import type { Item } from '../transcript/items.ts'
import { moveAnchor } from '../viewport.ts'

/** The session on the screen, if it is one. */
export function sessionOnScreen(app: App): string | null {
	const screen = baseScreen(app.ui)
	return screen.name === 'session' ? screen.session : null
}

/** Number of the first message of an item; `null` of what is no message. */
export function seqOf(item: Item | undefined): number | null {
	switch (item?.type) {
		case 'message':
		case 'request':
			return item.message.seq
		case 'call':
			return item.call.seq
		default:
			return null
	}
}

/** The item that shows a message: its own, that of the call it answers, or the one before it. */
export function itemOf(entries: readonly Item[], seq: number): number {
	const exact = entries.findIndex(
		(item) => seqOf(item) === seq || (item.type === 'call' && item.result?.seq === seq),
	)
	return exact >= 0 ? exact : entries.findLastIndex((item) => (seqOf(item) ?? seq + 1) <= seq)
}

/**
 * Loads what is around message `seq` unless it is loaded. The frame that shows it, and which item it is;
 * `null`: the person is elsewhere by now, or it could not be loaded, which the screen says.
 */
export async function bringIn(
	app: App,
	session: string,
	seq: number,
): Promise<{ transcript: TranscriptFrame; index: number } | null> {
	if (!isLoaded(app, session, seq)) {
		await app.view?.loadAround(seq)
		app.refresh()
	}
	const { transcript } = app.frame()
	if (sessionOnScreen(app) !== session || transcript?.session !== session) return null
	if (!isLoaded(app, session, seq)) return null
	const index = itemOf(transcript.entries, seq)
	return index < 0 ? null : { transcript, index }
}

function isLoaded(app: App, session: string, seq: number): boolean {
	const { open } = app.data
	if (open?.session !== session) return false
	const [first] = open.state.messages
	const last = open.state.messages.at(-1)
	return first !== undefined && last !== undefined && seq >= first.seq && seq < last.seq + last.rows
}

/** Puts a line of an item so far down the window. The item is where the next jump starts. */
export function showLine(
	app: App,
	{ transcript, index }: { transcript: TranscriptFrame; index: number },
	line: number,
	below: number,
): void {
	const key = transcript.items.key(index)
	const item = transcript.entries[index]
	const selectable = item?.type === 'call' || item?.type === 'request'
	const anchor = moveAnchor(transcript.items, { key, line }, -below)
	setAnchor(app, transcript, anchor, { cursor: key, ...(selectable ? { selected: key } : {}) })
}
