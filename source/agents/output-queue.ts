/**
 * What an agent puts out, in order, for one reader: pushed by whoever reads the agent, pulled by the
 * host. It never drops anything and ends once it is closed and drained. Who fills it asks for `room`
 * first, so that a host that is held up (by a full disk) holds up the agent instead of filling memory.
 */
export class OutputQueue<T> implements AsyncIterable<T> {
	readonly #most: number
	#items: T[] = []
	#unread = 0
	#wake: (() => void) | null = null
	#makeRoom: PromiseWithResolvers<void> | null = null
	#flushed = false
	#closed = false

	/** `most`: items that may wait before `room` does. */
	constructor(most = 2000) {
		this.#most = most
	}

	push(...items: readonly T[]): void {
		if (this.#closed) return
		for (const item of items) this.#items.push(item)
		this.#unread += items.length
		this.#wake?.()
	}

	/** Whether so much is unread that nothing should be added. */
	get crowded(): boolean {
		return this.#unread > this.#most && !this.#flushed
	}

	/** Resolves when there is room for more. */
	room(): Promise<void> {
		if (!this.crowded) return Promise.resolve()
		this.#makeRoom ??= Promise.withResolvers()
		return this.#makeRoom.promise
	}

	/** From now on there is always room: the agent is ending, and its last words are few. */
	flush(): void {
		this.#flushed = true
		this.#tellRoom()
	}

	close(): void {
		this.#closed = true
		this.flush()
		this.#wake?.()
	}

	#tellRoom(): void {
		if (this.crowded) return
		this.#makeRoom?.resolve()
		this.#makeRoom = null
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
		for (;;) {
			const batch = this.#items
			this.#items = []
			for (const item of batch) {
				this.#unread--
				this.#tellRoom()
				yield item
			}
			if (this.#items.length > 0) continue
			if (this.#closed) return
			await new Promise<void>((resolve) => {
				this.#wake = resolve
			})
			this.#wake = null
		}
	}
}
