/**
 * Knows which frame is on the terminal. A frame that was committed is not there yet: output is made at most 60
 * times a second, so that frames in between are never seen; and writing blocks for as long as the terminal stands
 * still.
 */
export class Painted<F> {
	readonly #written: (frame: F) => void
	#committed: F | null = null

	/** `written`: told of each frame after it was written to the terminal. */
	constructor(written: (frame: F) => void) {
		this.#written = written
	}

	/** The frame that the next output is made from. */
	readonly committed = (frame: F): void => {
		this.#committed = frame
	}

	/** Output was made from the frame that was committed last, and was written. */
	readonly rendered = (): void => {
		if (this.#committed !== null) this.#written(this.#committed)
	}
}
