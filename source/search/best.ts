/** The best of many, without keeping or sorting all of them. */

export class Best<T> {
	readonly #limit: number
	readonly #compare: (a: T, b: T) => number
	#kept: T[] = []
	/** What does not come before it is none of the best. */
	#bound: T | null = null
	count = 0

	/** `compare`: as of `sort`, the best first. */
	constructor(limit: number, compare: (a: T, b: T) => number) {
		this.#limit = limit
		this.#compare = compare
	}

	add(item: T): void {
		this.count++
		if (this.#bound !== null && this.#compare(item, this.#bound) >= 0) return
		this.#kept.push(item)
		if (this.#kept.length >= this.#limit * 2 + 16) this.#cut()
	}

	/** In order. */
	get items(): readonly T[] {
		this.#cut()
		return this.#kept
	}

	#cut(): void {
		this.#kept.sort(this.#compare)
		this.#kept = this.#kept.slice(0, this.#limit)
		if (this.#kept.length === this.#limit) this.#bound = this.#kept.at(-1) ?? null
	}
}
