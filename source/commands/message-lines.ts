import type { SessionEvent } from '../protocol/events.ts'
import { displayText } from '../text/safe-text.ts'
import { eventToPlainLines } from '../text/transcript.ts'
import { openedEvent, placeText } from '../viewer/opened-event.ts'
import type { ShownMessage } from '../viewer/viewer.ts'

export type DeviceName = (id: string) => string | null

/** Facts without words. */
const background: ReadonlySet<string> = new Set(['about', 'takes', 'grants'])

/** Turns of a session's state that its prompts and answers show by themselves. */
function isBackground(event: SessionEvent): boolean {
	if (event.kind === 'system') return background.has(event.body.type)
	if (event.kind !== 'status') return false
	const { status, detail, applied } = event.body
	return applied === null && detail === null && status !== 'stopped' && status !== 'error'
}

/** A message as plain text, each line with its newline; what did not verify is said, never shown. */
export function messageLines(message: ShownMessage, width: number, deviceName: DeviceName): string {
	const event = openedEvent(message)
	if (event) return eventLines(event, width, deviceName)
	const problem = displayText(message.problem ?? 'can not be read')
	return `✗ message ${placeText(message)}: ${problem}\n\n`
}

/** What is worth a line of it. */
export function eventLines(event: SessionEvent, width: number, deviceName: DeviceName): string {
	if (isBackground(event)) return ''
	const lines = eventToPlainLines(event, width, { deviceName })
	return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`
}
