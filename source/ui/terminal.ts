import { setTimeout as sleep } from 'node:timers/promises'
import type { SuspendTerminal } from 'ink'

export interface TerminalOptions {
	/** Just before the terminal is given away, and when it is back. */
	away(): void
	back(): void
	failed(error: unknown): void
}

/** Gives the terminal away for a while: to the shell, or to nobody, which draws everything again. */
export class Terminal implements Disposable {
	readonly #options: TerminalOptions
	#suspendTerminal: SuspendTerminal | null = null
	#busy = false

	constructor(options: TerminalOptions) {
		this.#options = options
		process.on('SIGTSTP', this.#stopped)
	}

	[Symbol.dispose](): void {
		process.off('SIGTSTP', this.#stopped)
	}

	/** Takes over what only a mounted component has. */
	attach(suspendTerminal: SuspendTerminal): () => void {
		this.#suspendTerminal = suspendTerminal
		return () => {
			this.#suspendTerminal = null
		}
	}

	/** Stops the whole job, as ctrl-z does in a shell: what started this program stops with it. */
	readonly suspend = (): void => this.#hand(() => this.#stop(0))

	readonly redraw = (): void => this.#hand(async () => undefined)

	/** Another process stops this one: leave the terminal clean first. */
	readonly #stopped = (): void => this.#hand(() => this.#stop(process.pid))

	#hand(meanwhile: () => Promise<void>): void {
		const suspendTerminal = this.#suspendTerminal
		if (!suspendTerminal || this.#busy) return
		this.#busy = true
		this.#options.away()
		suspendTerminal(meanwhile)
			.catch(this.#options.failed)
			.finally(() => {
				this.#busy = false
				this.#options.back()
			})
	}

	async #stop(target: number): Promise<void> {
		// With a listener the signal would not stop the process.
		process.off('SIGTSTP', this.#stopped)
		process.kill(target, 'SIGTSTP')
		// The process stands still in here; where nothing can continue it, the signal has no effect.
		await sleep(50)
		process.on('SIGTSTP', this.#stopped)
	}
}
