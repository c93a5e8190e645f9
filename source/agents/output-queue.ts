/**
 * What an agent puts out, in order, for one reader: pushed by whoever reads the agent, pulled by the
 * host. It never drops anything and ends once it is closed and drained.
 */
export class OutputQueue<T> implements AsyncIterable<T> {
	#items: T[] = []
	#wake: (() => void) | null = null
	#closed = false

	push(...items: readonly T[]): void {
		if (this.#closed) return
		for (const item of items) this.#items.push(item)
		this.#wake?.()
	}

	close(): void {
		this.#closed = true
		this.#wake?.()
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
		for (;;) {
			const batch = this.#items
			this.#items = []
			for (const item of batch) yield item
			if (this.#items.length > 0) continue
			if (this.#closed) return
			await new Promise<void>((resolve) => {
				this.#wake = resolve
			})
			this.#wake = null
		}
	}
}
