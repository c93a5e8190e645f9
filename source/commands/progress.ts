import type { Io } from './io.ts'

/** One line on stderr that is written over, where a person watches; nothing where nobody does. */
export class Progress implements Disposable {
	readonly #io: Pick<Io, 'stderr'>
	readonly #what: string
	#shown = false

	/** `what`: stands before everything that is shown. */
	constructor(io: Pick<Io, 'stderr'>, what: string) {
		this.#io = io
		this.#what = what
	}

	show(text: string): void {
		if (!this.#io.stderr.isTTY) return
		this.#io.stderr.write(`\r\x1b[K${this.#what}: ${text}`)
		this.#shown = true
	}

	/** Takes the line away, so that something else can be written. */
	clear(): void {
		if (this.#shown) this.#io.stderr.write('\r\x1b[K')
		this.#shown = false
	}

	[Symbol.dispose](): void {
		this.clear()
	}
}
