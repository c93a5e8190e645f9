/** What was opened, to be closed in reverse order. (`AsyncDisposableStack` came with Node 24.) */
export class Cleanup implements AsyncDisposable {
	readonly #parts: (AsyncDisposable | Disposable)[] = []

	use<T extends AsyncDisposable | Disposable>(part: T): T {
		this.#parts.push(part)
		return part
	}

	/** Closes all, even when one of them fails; then throws the first failure. */
	async [Symbol.asyncDispose](): Promise<void> {
		const failures: unknown[] = []
		for (const part of this.#parts.splice(0).reverse()) {
			try {
				if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]()
				else part[Symbol.dispose]()
			} catch (error) {
				failures.push(error)
			}
		}
		if (failures.length > 0) throw failures[0]
	}
}
