/** More often than that nobody sees, ms. */
const frameMs = 16

/**
 * Collects changes and tells of them together. `changed`: after a quiet time at once, else at most once in
 * `everyMs`. `soon`: at once, or with the next frame. `later`: with the next that is told, within `everyMs`; it does
 * not keep what comes after it waiting.
 */
export class Batch {
	readonly #everyMs: number
	readonly #tell: () => void
	#timer: NodeJS.Timeout | null = null
	#due = Number.POSITIVE_INFINITY
	/** When changes were last told, and when anything was. */
	#last = Number.NEGATIVE_INFINITY
	#lastOfAny = Number.NEGATIVE_INFINITY
	#counts = false

	constructor(everyMs: number, tell: () => void) {
		this.#everyMs = everyMs
		this.#tell = tell
	}

	readonly changed = (): void => {
		this.#counts = true
		this.#schedule(this.#last + this.#everyMs)
	}

	readonly soon = (): void => this.#schedule(this.#lastOfAny + frameMs)

	readonly later = (): void => this.#schedule(performance.now() + this.#everyMs)

	flush(): void {
		this.#lastOfAny = performance.now()
		if (this.#counts) this.#last = this.#lastOfAny
		this[Symbol.dispose]()
		this.#tell()
	}

	#schedule(due: number): void {
		if (due >= this.#due) return
		if (this.#timer) clearTimeout(this.#timer)
		this.#due = due
		this.#timer = setTimeout(() => this.flush(), Math.max(0, due - performance.now()))
	}

	[Symbol.dispose](): void {
		if (this.#timer) clearTimeout(this.#timer)
		this.#timer = null
		this.#due = Number.POSITIVE_INFINITY
		this.#counts = false
	}
}
