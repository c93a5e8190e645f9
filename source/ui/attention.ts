/**
 * What a person has had before their eyes, and for how long: the guard against answers by accident.
 * It is told of every frame after that frame was drawn, and of nothing else.
 */
import type { RequestView } from '../viewer/viewer.ts'

/**
 * What a request's text on the screen is known by. One that does not verify shows why, and nothing of what it asks:
 * who has seen that has read nothing.
 */
export function shownDigest({
	body,
	digest,
	problem,
}: Pick<RequestView, 'body' | 'digest' | 'problem'>): string | null {
	return body && problem === null ? digest : null
}

/** Keys in this time after a request appeared, or after the list around it changed, are no answer. */
export const guardMs = 300

/** A request as one frame showed it. */
export interface ShownRequest {
	id: string
	/** What a decision would be bound to; another digest is another request. */
	digest: string | null
	/** Width it was wrapped to, in columns: line numbers mean nothing at another. */
	width: number
	/** Lines that must have been seen: all of them, and those that this frame showed. */
	total: number
	from: number
	to: number
}

/** The request that an answer would go to, and the order of what was around it. */
export interface Focus {
	id: string
	digest: string | null
	order: string
}

interface Reading {
	digest: string | null
	width: number
	seen: Set<number>
	complete: boolean
	/** The terminal has not shown yet what was seen last, as far as it said. */
	held: boolean
}

export type MayAnswer = { ok: true } | { ok: false; why: 'nothing' | 'too-soon' | 'unread' }

export class Attention {
	readonly #readings = new Map<string, Reading>()
	readonly #now: () => number
	#focus: (Focus & { since: number }) | null = null

	constructor(now: () => number) {
		this.#now = now
	}

	/** A frame was written to the terminal. `true`: something else is in focus than before. */
	drawn(shown: readonly ShownRequest[], focus: Focus | null): boolean {
		for (const request of shown) this.#read(request)
		const same =
			focus !== null &&
			this.#focus !== null &&
			focus.id === this.#focus.id &&
			focus.digest === this.#focus.digest &&
			focus.order === this.#focus.order
		if (!same) this.#focus = focus && { ...focus, since: this.#now() }
		return !same && focus !== null
	}

	/** The terminal has not shown it yet, as far as it said: until `interrupted` no key is an answer. */
	hold(): void {
		if (this.#focus) this.#focus = { ...this.#focus, since: Number.POSITIVE_INFINITY }
	}

	/** The terminal has not shown the lines of these that were drawn last: until `linesShown` none can be allowed. */
	holdReading(shown: readonly Pick<ShownRequest, 'id'>[]): void {
		for (const { id } of shown) {
			const reading = this.#readings.get(id)
			if (reading) reading.held = true
		}
	}

	/** The terminal has shown all lines that were drawn. */
	linesShown(): void {
		for (const reading of this.#readings.values()) reading.held = false
	}

	/** Forgets how long the focus has been there: the terminal was away, or has only just shown it. */
	interrupted(): void {
		if (this.#focus) this.#focus = { ...this.#focus, since: this.#now() }
	}

	/** Lines not seen yet, of the `total` that matter. */
	unread(id: string, digest: string | null, total: number): number {
		const reading = this.#readings.get(id)
		if (!reading || reading.digest !== digest) return total
		return reading.complete ? 0 : Math.max(0, total - reading.seen.size)
	}

	/** The first line not seen yet, or `null`. */
	firstUnread(id: string, digest: string | null, total: number): number | null {
		const reading = this.#readings.get(id)
		if (!reading || reading.digest !== digest) return total > 0 ? 0 : null
		if (reading.complete) return null
		for (let line = 0; line < total; line++) if (!reading.seen.has(line)) return line
		return null
	}

	/** Whether a key pressed now is an answer to the request in focus. A denial needs no reading. */
	mayAnswer(id: string, decision: 'allow' | 'deny'): MayAnswer {
		if (this.#focus === null || this.#focus.id !== id) return { ok: false, why: 'nothing' }
		if (this.#now() - this.#focus.since < guardMs) return { ok: false, why: 'too-soon' }
		if (decision === 'deny') return { ok: true }
		const reading = this.#readings.get(id)
		const read = reading?.complete === true && reading.digest === this.#focus.digest
		if (!read) return { ok: false, why: 'unread' }
		return reading.held ? { ok: false, why: 'too-soon' } : { ok: true }
	}

	/** Drops what was read of what is gone. */
	keep(ids: ReadonlySet<string>): void {
		for (const id of this.#readings.keys()) if (!ids.has(id)) this.#readings.delete(id)
	}

	#read(request: ShownRequest): void {
		let reading = this.#readings.get(request.id)
		if (!reading || reading.digest !== request.digest) {
			const { digest, width } = request
			reading = { digest, width, seen: new Set(), complete: false, held: false }
			this.#readings.set(request.id, reading)
		}
		if (reading.complete) return
		if (reading.width !== request.width) {
			reading.width = request.width
			reading.seen.clear()
		}
		for (let line = request.from; line < request.to; line++) reading.seen.add(line)
		reading.complete = reading.seen.size >= request.total
	}
}
