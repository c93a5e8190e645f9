import type { SessionEvent } from '../protocol/events.ts'
import { displayText } from '../text/safe-text.ts'
import { eventToPlainLines } from '../text/transcript.ts'
import type { ShownMessage } from '../viewer/viewer.ts'

/** A message as plain text, each line with its newline; what did not verify is said, never shown. */
export function messageLines(message: ShownMessage, width: number): string {
	if (message.problem !== null || !message.kind || !message.body) {
		const last = message.seq + message.rows - 1
		const place = last > message.seq ? `#${message.seq} to #${last}` : `#${message.seq}`
		return `✗ message ${place}: ${displayText(message.problem ?? 'can not be read')}\n\n`
	}
	// `kind` and `body` were checked together when the message was opened.
	const event = { kind: message.kind, body: message.body } as SessionEvent
	const lines = eventToPlainLines(event, width)
	return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`
}
