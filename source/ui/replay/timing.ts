/** How long a replay takes over what lies between two messages. All times in ms. */
import type { LiveText, ShownMessage } from '../../viewer/viewer.ts'
import { bodyOf } from '../transcript/items.ts'

/** A pause longer than this is shortened, to so much; text that was being written keeps more of its time. */
export const longPause = 5000
const shortenedTo = 2000
const longestText = 10_000

export interface Gap {
	/** As it was. */
	real: number
	/** As it is played, at speed 1. */
	played: number
}

/** Time between two messages. Clocks that went back, and times that can't be read, count as none. */
export function gapBetween(before: ShownMessage | null, next: ShownMessage): Gap {
	const real = before ? Date.parse(next.at) - Date.parse(before.at) : 0
	if (!(real > 0)) return { real: 0, played: 0 }
	if (real <= longPause) return { real, played: real }
	return { real, played: isText(next) ? Math.min(real, longestText) : shortenedTo }
}

function isText(message: ShownMessage): boolean {
	return writtenText(message) !== null
}

/** Text that the agent wrote bit by bit before the message was there. */
function writtenText(message: ShownMessage): Omit<LiveText, 'block'> | null {
	const response = bodyOf(message, 'agent_response')
	if (response) return { kind: 'agent_response', text: response.text }
	const thinking = bodyOf(message, 'agent_thinking')
	return thinking && { kind: 'agent_thinking', text: thinking.text }
}

/** What there was of a text when `part` (0 to 1) of its time was over; nothing of what is no text. */
export function liveAt(message: ShownMessage, part: number): LiveText[] {
	const written = writtenText(message)
	if (!written) return []
	const { kind, text } = written
	let end = Math.floor(text.length * Math.min(1, part))
	// Both halves of a character, or none.
	if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? '')) end--
	return end <= 0 ? [] : [{ block: `replay ${message.seq}`, kind, text: text.slice(0, end) }]
}
