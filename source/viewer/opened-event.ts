import type { SessionEvent } from '../protocol/events.ts'
import type { ShownMessage } from './viewer.ts'

/** What a message says; `null` where it did not open or did not verify. */
export function openedEvent({ kind, body, problem }: ShownMessage): SessionEvent | null {
	if (problem !== null || kind === null || body === null) return null
	// `kind` and `body` were checked together when the message was opened.
	return { kind, body } as SessionEvent
}

/** `#7`, or `#7 to #9` of a message of several rows. */
export function placeText({ seq, rows }: Pick<ShownMessage, 'seq' | 'rows'>): string {
	return rows > 1 ? `#${seq} to #${seq + rows - 1}` : `#${seq}`
}
