/** How long to wait after the n-th failure in a row, ms: doubling, at most 15 s, spread by a fifth. */
export function backoff(failures: number, random: () => number = Math.random): number {
	const full = Math.min(15_000, 250 * 2 ** Math.min(failures - 1, 10))
	return full * (0.8 + 0.4 * random())
}

/** Waits that can be cut short. */
export class Pause {
	#end: (() => void) | null = null

	/** Resolves after `ms`, or at the next `end()`. */
	wait(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(() => this.end(), ms)
			this.#end = () => {
				clearTimeout(timer)
				this.#end = null
				resolve()
			}
		})
	}

	end(): void {
		this.#end?.()
	}
}
