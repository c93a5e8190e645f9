/** One line of a stream, with its number (from 1). `text` is `null` for a line over the cap. */
export interface Line {
	line: number
	text: string | null
	/** Where the line starts, in bytes from where reading began. */
	start: number
	/** No line end followed: the stream ended in the middle of it. */
	unfinished: boolean
}

/**
 * Splits bytes into lines at `\n`. A line over `maxBytes` is given as `text: null` and its bytes are
 * thrown away, so that memory stays bounded whatever an agent prints. Empty lines are counted, not given, and
 * spaces around a line are cut; unless lines are wanted `asTheyAre`.
 */
export class LineSplitter {
	readonly #maxBytes: number
	readonly #asTheyAre: boolean
	#parts: Uint8Array[] = []
	#length = 0
	#line = 1
	#start = 0

	constructor(maxBytes: number, asTheyAre = false) {
		this.#maxBytes = maxBytes
		this.#asTheyAre = asTheyAre
	}

	/** The lines that `chunk` completes. */
	push(chunk: Uint8Array): Line[] {
		const lines: Line[] = []
		let from = 0
		for (;;) {
			const end = chunk.indexOf(10, from)
			if (end < 0) break
			this.#keep(chunk.subarray(from, end))
			const line = this.#take(false)
			if (line !== null) lines.push(line)
			this.#line++
			from = end + 1
		}
		this.#keep(chunk.subarray(from))
		return lines
	}

	/** What is left without a line end, or `null`. */
	end(): Line | null {
		return this.#take(true)
	}

	#keep(part: Uint8Array): void {
		this.#length += part.length
		if (this.#length > this.#maxBytes) this.#parts = []
		else if (part.length > 0) this.#parts.push(part)
	}

	#take(unfinished: boolean): Line | null {
		const length = this.#length
		const start = this.#start
		const parts = this.#parts
		this.#parts = []
		this.#length = 0
		this.#start += length + (unfinished ? 0 : 1)
		if (length > this.#maxBytes) return { line: this.#line, text: null, start, unfinished }
		const whole = Buffer.concat(parts).toString('utf8')
		if (this.#asTheyAre && !(unfinished && length === 0)) {
			return { line: this.#line, text: whole.replace(/\r$/, ''), start, unfinished }
		}
		const text = whole.trim()
		return text === '' ? null : { line: this.#line, text, start, unfinished }
	}
}

/** The lines of a byte stream; see {@link LineSplitter}. */
export async function* readLines(
	bytes: AsyncIterable<Uint8Array>,
	maxBytes: number,
	asTheyAre = false,
): AsyncGenerator<Line, void, void> {
	const splitter = new LineSplitter(maxBytes, asTheyAre)
	for await (const chunk of bytes) yield* splitter.push(chunk)
	const last = splitter.end()
	if (last !== null) yield last
}
