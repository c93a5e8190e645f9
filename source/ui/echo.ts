/**
 * Asks the terminal whether it has shown what was written. Over a slow line a frame may be seen seconds after it was
 * written, and keys pressed until then were meant for the one before. What a terminal answers stands behind those
 * keys in what is read from it.
 */
import { replacing } from './replacing.ts'

/** "What are you?": every terminal answers it, and does nothing else. */
const question = '\u001B[c'
// biome-ignore lint/suspicious/noControlCharactersInRegex: an answer begins with one
const answer = /\u001B\[\?[\d;]*c/g
/** An answer is no longer than that. */
const longest = 30
/**
 * An answer that has not come in this time is not waited for when the question is asked again, ms. One that comes
 * later after all would be taken for that of the next question: so it is longer than anybody works with such a line.
 */
const lostAfter = 10_000
/** How long the end of the program waits for an answer, which would else be read by the shell, ms. */
const quietMs = { known: 500, unknown: 150 }

export class Echo {
	readonly #write: (data: string) => void
	readonly #shown: () => void
	#rest = ''
	/** This terminal has answered before: its silence means something. */
	#answers = false
	#open = 0
	#asked = Number.NEGATIVE_INFINITY
	#quiet: (() => void) | null = null

	/** `shown`: the terminal has shown all that was written before the last question. */
	constructor(write: (data: string) => void, shown: () => void) {
		this.#write = write
		this.#shown = shown
	}

	/** Asks. Whether what was written counts as shown only when the answer is here. */
	ask(): boolean {
		const now = performance.now()
		if (now - this.#asked > lostAfter) this.#open = 0
		this.#open++
		this.#asked = now
		this.#write(question)
		return this.#answers
	}

	/** Asks once more, where the answer seems to be lost. */
	again(): void {
		if (performance.now() - this.#asked > lostAfter) this.ask()
	}

	/** Looks for answers in what is read, whatever the pieces that they come in; Ink makes no keys of them. */
	heard(chunk: string): void {
		const text = this.#rest + chunk
		const found = [...text.matchAll(answer)].at(-1)
		this.#rest = text.slice(found ? found.index + found[0].length : 0).slice(-longest)
		const count = [...text.matchAll(answer)].length
		if (count === 0) return
		this.#answers = true
		this.#open = Math.max(0, this.#open - count)
		if (this.#open > 0) return
		this.#quiet?.()
		this.#shown()
	}

	/** Resolves when no answer is on its way any more, or has not come for a while. */
	async quiet(): Promise<void> {
		const since = performance.now() - this.#asked
		const ms = (this.#answers ? quietMs.known : quietMs.unknown) - since
		if (this.#open === 0 || ms <= 0) return
		const { promise, resolve } = Promise.withResolvers<void>()
		this.#quiet = resolve
		const timer = setTimeout(resolve, ms)
		await promise
		clearTimeout(timer)
		this.#quiet = null
	}
}

/** The same input, of which `heard` is told everything before keys are read from it. */
export function listening(
	stdin: NodeJS.ReadStream,
	heard: (chunk: string) => void,
): NodeJS.ReadStream {
	const read = (): unknown => {
		const chunk: unknown = stdin.read()
		if (chunk !== null) heard(String(chunk))
		return chunk
	}
	return replacing(stdin, 'read', read)
}
