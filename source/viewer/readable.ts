import type { Readable } from './viewer.ts'

/** A value that changes, and those who want to know. */
export class Value<T> implements Readable<T> {
	#value: T
	readonly #listeners = new Set<() => void>()

	constructor(value: T) {
		this.#value = value
	}

	get(): T {
		return this.#value
	}

	set(value: T): void {
		if (Object.is(value, this.#value)) return
		this.#value = value
		for (const listener of [...this.#listeners]) listener()
	}

	update(change: (value: T) => T): void {
		this.set(change(this.#value))
	}

	/** Is from now on what `source` is. Returns how to stop. */
	follow(source: Readable<T>): () => void {
		this.set(source.get())
		return source.subscribe(() => this.set(source.get()))
	}

	subscribe(listener: () => void): () => void {
		this.#listeners.add(listener)
		return () => this.#listeners.delete(listener)
	}
}

/** Runs async work one after the other, in order; `idle` resolves when all that was given is done. */
export class Queue {
	#last: Promise<unknown> = Promise.resolve()

	run<T>(work: () => Promise<T>): Promise<T> {
		const next = this.#last.then(work)
		this.#last = next.catch(() => undefined)
		return next
	}

	async idle(): Promise<void> {
		await this.#last
	}
}
