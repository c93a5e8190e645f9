/** Tells a key that was pressed to answer from one that is held down, or that came in a stream of others. */
import type { KeyName, KeyPress } from './keys.ts'

/**
 * The same key again within this time, and nothing else in between, is a key held down: terminals begin to repeat
 * one after up to 700 ms, and tell nobody that it was let go.
 */
export const heldMs = 750
/** Keys so close behind another are what a slow line makes of a paste, or are meant for another window, ms. */
export const burstMs = 30

export type Unmeant = 'held' | 'burst'

export class Pressing {
	readonly #now: () => number
	#last: { name: KeyName; at: number } | null = null

	constructor(now: () => number) {
		this.#now = now
	}

	/** Takes note of what one read brought. Why a key of it can be no answer; `null`: it can. */
	came({ names, alone, repeated }: KeyPress): Unmeant | null {
		const last = this.#last
		const at = this.#now()
		const name = names.at(-1)
		if (name !== undefined) this.#last = { name, at }
		if (repeated) return 'held'
		if (!alone) return 'burst'
		if (last === null) return null
		const passed = at - last.at
		if (last.name === name) return passed < heldMs ? 'held' : null
		return passed < burstMs ? 'burst' : null
	}

	/** Text was pasted. */
	pasted(): void {
		this.#last = { name: '', at: this.#now() }
	}
}
