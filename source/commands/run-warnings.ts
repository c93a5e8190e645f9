import type { StyrbyError } from '../protocol/errors.ts'

/** Warnings of a host: while the agent's interface has the terminal they wait until it is gone. */
export class Warnings implements Disposable {
	readonly #write: (text: string) => void
	readonly #said = new Set<string>()
	readonly #waiting: string[] = []
	#held: boolean

	constructor(write: (text: string) => void, held: boolean) {
		this.#write = write
		this.#held = held
	}

	#say(text: string): void {
		if (this.#held) this.#waiting.push(text)
		else this.#write(text)
	}

	/** Each kind of trouble once. */
	trouble({ code, message }: StyrbyError, final: boolean): void {
		if (this.#said.has(code)) return
		this.#said.add(code)
		this.#say(final ? `${message} Nothing more of this session is published.` : message)
	}

	/** Of other sessions: worth a word only at the end. */
	quiet({ code, message }: StyrbyError): void {
		if (this.#said.has(code)) return
		this.#said.add(code)
		this.#waiting.push(message)
	}

	recovered(): void {
		this.#said.delete('backend_unreachable')
		if (!this.#held) this.#say('the backend is back; what waited was sent')
	}

	/** The terminal is ours again. */
	release(): void {
		this.#held = false
		for (const text of this.#waiting.splice(0)) this.#write(text)
	}

	[Symbol.dispose](): void {
		this.release()
	}
}
