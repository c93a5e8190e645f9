import type { Readable } from '../viewer/viewer.ts'

/** Collects changes and tells of them at most once in `everyMs`; `flush` tells at once. */
export class Batch {
	readonly #everyMs: number
	readonly #tell: () => void
	#timer: NodeJS.Timeout | null = null
	#last = Number.NEGATIVE_INFINITY

	constructor(everyMs: number, tell: () => void) {
		this.#everyMs = everyMs
		this.#tell = tell
	}

	/** Something changed. After a quiet time it is told as soon as what runs just now is done. */
	readonly changed = (): void => {
		if (this.#timer) return
		const wait = this.#last + this.#everyMs - performance.now()
		this.#timer = setTimeout(() => this.flush(), Math.max(0, wait))
	}

	flush(): void {
		this[Symbol.dispose]()
		this.#last = performance.now()
		this.#tell()
	}

	watch(readable: Readable<unknown>): () => void {
		return readable.subscribe(this.changed)
	}

	[Symbol.dispose](): void {
		if (this.#timer) clearTimeout(this.#timer)
		this.#timer = null
	}
}
