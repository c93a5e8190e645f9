/**
 * The screen that an agent has drawn, kept by a terminal emulator. What the agent writes is handed over in
 * batches, beside the way to the person's terminal.
 */
import type { IBufferLine, IMarker, Terminal } from '@xterm/headless'

export interface Size {
	columns: number
	rows: number
}

/** One line of text, joined where the terminal wrapped it. */
export interface Line {
	/** Spaces at its end are cut. */
	text: string
	/** Its first row: 0 is the top of the screen, less than that has scrolled off. */
	row: number
	/** Rows it takes. */
	height: number
}

/** A place in the output that stays with its text while that scrolls. */
export interface Mark {
	/** Row as of now, or `null` once it has scrolled out of what is kept, or was cleared. */
	row(): number | null
	release(): void
}

/** Lines kept that have scrolled off. */
const scrollback = 1000

/** How long output may wait to be parsed, ms. */
const batchMs = 10

/** Bytes that may wait to be parsed before the agent is held up. */
const most = 4 * 2 ** 20

export class Screen {
	/** How many bytes came. It grows as they arrive, before they are parsed. */
	received = 0
	readonly #terminal: Terminal
	readonly #listeners = new Set<() => void>()
	#batch: Uint8Array[] = []
	#unparsed = 0
	#timer: NodeJS.Timeout | null = null
	#room: (() => void) | null = null
	#over = false

	private constructor(terminal: Terminal) {
		this.#terminal = terminal
	}

	/** `answer`: gets what a terminal answers to questions about itself, where no other terminal does. */
	static async open({ columns, rows }: Size, answer?: (bytes: string) => void): Promise<Screen> {
		const { default: xterm } = await import('@xterm/headless')
		const terminal = new xterm.Terminal({
			cols: columns,
			rows,
			scrollback,
			allowProposedApi: true,
			logLevel: 'off',
		})
		if (answer !== undefined) terminal.onData(answer)
		return new Screen(terminal)
	}

	get size(): Size {
		return { columns: this.#terminal.cols, rows: this.#terminal.rows }
	}

	/** Column and row of the cursor, from 0. The column is `columns` after a row was filled. */
	get cursor(): { column: number; row: number } {
		const { cursorX, cursorY } = this.#terminal.buffer.active
		return { column: cursorX, row: cursorY }
	}

	/** Whether the alternate screen is shown: the one without a history. */
	get alternate(): boolean {
		return this.#terminal.buffer.active.type === 'alternate'
	}

	/** Modes that the agent has set. */
	get modes(): Terminal['modes'] {
		return this.#terminal.modes
	}

	/** The rows as they stand, spaces at their end cut. */
	rows(): string[] {
		return Array.from({ length: this.#terminal.rows }, (_, row) => this.row(row))
	}

	/** One row; 0 is the top of the screen, less than that has scrolled off. Empty where there is none. */
	row(row: number): string {
		return this.#line(row)?.translateToString(true).trimEnd() ?? ''
	}

	/** Lines from a row on, to the last row or the one given; the first begins where its line does. */
	lines(from = 0, to = this.#terminal.rows - 1): Line[] {
		let first = Math.max(from, -this.#terminal.buffer.active.baseY)
		while (this.#line(first)?.isWrapped && this.#line(first - 1) !== undefined) first--
		const lines: Line[] = []
		for (let row = first; row <= to; row++) {
			const line = this.#line(row)
			if (line === undefined) break
			const last = lines.at(-1)
			// Of a row that goes on, the spaces at its end are part of the text.
			const whole = this.#line(row + 1)?.isWrapped === true
			const text = whole ? line.translateToString(false) : line.translateToString(true).trimEnd()
			if (line.isWrapped && last !== undefined) {
				last.text += text
				last.height++
			} else lines.push({ text, row, height: 1 })
		}
		return lines
	}

	/** All that is on the screen, as lines. */
	text(): string {
		return this.lines()
			.map(({ text }) => text)
			.join('\n')
			.trimEnd()
	}

	/** Marks the cursor's row, or one above it. */
	mark(above = 0): Mark {
		const marker: IMarker | undefined = this.#terminal.registerMarker(-above)
		return {
			row: () =>
				marker === undefined || marker.isDisposed || marker.line < 0
					? null
					: marker.line - this.#terminal.buffer.active.baseY,
			release: () => marker?.dispose(),
		}
	}

	/** Calls back each time output was parsed. Returns what ends that. */
	onChange(listener: () => void): () => void {
		this.#listeners.add(listener)
		return () => this.#listeners.delete(listener)
	}

	/** Output of the agent. It is parsed a little later. */
	write(bytes: Uint8Array): void {
		if (this.#over) return
		this.received += bytes.length
		this.#unparsed += bytes.length
		this.#batch.push(bytes)
		this.#timer ??= setTimeout(() => this.#parse(), batchMs)
	}

	/** Whether more waits to be parsed than should. */
	get behind(): boolean {
		return this.#unparsed > most
	}

	/** Calls back once, when it is no longer behind. */
	onceCaughtUp(then: () => void): void {
		this.#room = then
		this.#tellRoom()
	}

	/** Parses all that came. Resolves at once after it, before anything else can come. */
	async parsed(): Promise<void> {
		if (this.#over) return
		this.#parse()
		await new Promise<void>((resolve) => this.#terminal.write('', resolve))
	}

	resize({ columns, rows }: Size): void {
		if (!this.#over) this.#terminal.resize(columns, rows)
	}

	/** The last words stay readable; nothing more is taken. */
	close(): void {
		this.#over = true
		if (this.#timer !== null) clearTimeout(this.#timer)
		this.#timer = null
		this.#listeners.clear()
		this.#unparsed = 0
		this.#tellRoom()
	}

	#parse(): void {
		if (this.#timer !== null) clearTimeout(this.#timer)
		this.#timer = null
		if (this.#batch.length === 0) return
		const bytes = Buffer.concat(this.#batch)
		this.#batch = []
		this.#terminal.write(bytes, () => {
			this.#unparsed -= bytes.length
			this.#tellRoom()
			for (const listener of this.#listeners) listener()
		})
	}

	#tellRoom(): void {
		if (this.behind) return
		const tell = this.#room
		this.#room = null
		tell?.()
	}

	#line(row: number): IBufferLine | undefined {
		const { active } = this.#terminal.buffer
		const at = active.baseY + row
		return at < 0 ? undefined : active.getLine(at)
	}
}
