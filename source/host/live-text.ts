/** Text while it is being produced: gathered, and passed on at most 20 times a second. */
import type { AgentOutput } from '../agents/agent.ts'

export type TextPiece = Omit<Extract<AgentOutput, { type: 'text' }>, 'type'>

/** ms between two frames: 20 a second. */
export const frameInterval = 50
/** UTF-16 units a frame: a block that grows faster is cut, its message brings the whole. */
const maxPiece = 16_000

export interface LiveTextOptions {
	/** Sends one frame; it may get lost. */
	send(piece: TextPiece): void
	/** ms, of a clock that never goes back. */
	now(): number
}

export class LiveText implements Disposable {
	readonly #options: LiveTextOptions
	readonly #waiting = new Map<string, TextPiece>()
	#lastSent = Number.NEGATIVE_INFINITY
	#timer: NodeJS.Timeout | null = null

	constructor(options: LiveTextOptions) {
		this.#options = options
	}

	add(piece: TextPiece): void {
		const waiting = this.#waiting.get(piece.block)
		const joins = waiting && waiting.offset + waiting.text.length === piece.offset
		const text = joins ? waiting.text + piece.text : piece.text
		const offset = joins ? waiting.offset : piece.offset
		this.#waiting.set(piece.block, { ...piece, offset, text: text.slice(0, maxPiece) })
		this.#schedule()
	}

	/** The block's message is on its way: what waits of it is of no use any more. */
	finish(block: string): void {
		this.#waiting.delete(block)
	}

	#schedule(): void {
		if (this.#timer || this.#waiting.size === 0) return
		const wait = this.#lastSent + frameInterval - this.#options.now()
		if (wait <= 0) {
			this.#sendOne()
			return
		}
		this.#timer = setTimeout(() => {
			this.#timer = null
			this.#sendOne()
		}, Math.ceil(wait))
		this.#timer.unref()
	}

	/** The block that waits longest goes first, so none starves. */
	#sendOne(): void {
		const [next] = this.#waiting.values()
		if (!next) return
		this.#waiting.delete(next.block)
		this.#lastSent = this.#options.now()
		this.#options.send(next)
		this.#schedule()
	}

	[Symbol.dispose](): void {
		if (this.#timer) clearTimeout(this.#timer)
		this.#timer = null
		this.#waiting.clear()
	}
}
