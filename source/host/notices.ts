/** Notices of refused commands, so few that a flood of bad ones can't flood the session. */
import type { SessionEvent } from '../protocol/events.ts'

const burst = 10
/** ms for one more notice. */
const refill = 30_000

export interface Refusal {
	/** Stable code. */
	code: string
	/** One sentence of ours: nothing of what an attacker wrote. */
	text: string
	/** Set when a device of the log signed the command: that device is waiting for an answer. */
	command: string | null
	request: string | null
	device: string | null
}

export class Notices {
	readonly #now: () => number
	#tokens = burst
	#last: number
	#suppressed = 0

	/** `now`: ms. */
	constructor(now: () => number) {
		this.#now = now
		this.#last = now()
	}

	/** The event to publish, or `null` while there are too many: the next one counts them. */
	about(refusal: Refusal): SessionEvent | null {
		const now = this.#now()
		this.#tokens = Math.min(burst, this.#tokens + Math.max(0, now - this.#last) / refill)
		this.#last = now
		if (this.#tokens < 1) {
			this.#suppressed++
			return null
		}
		this.#tokens--
		const { text, code, command, request, device } = refusal
		const data = { code, command, request, device, suppressed: this.#suppressed }
		this.#suppressed = 0
		return { kind: 'system', body: { type: 'notice', text, data } }
	}
}
