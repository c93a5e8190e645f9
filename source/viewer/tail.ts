/**
 * The growing end of a session: verified messages in order, each once, however the hints come. A hint is
 * only a hint; what it lacks is pulled.
 */
import type { MessageRow } from '../backend/gateway.ts'
import type { ChainState } from '../protocol/message.ts'
import { assemble, type CheckedMessage, type Row } from './checked-message.ts'
import { Queue } from './readable.ts'
import type { FeedPool } from './session-feed.ts'
import { pageSize, type SessionReader } from './session-reader.ts'

export interface TailOptions {
	reader: SessionReader
	feeds: FeedPool
	/** Messages after this number are delivered. */
	after: number
	/** Chain state at `after`, when it is known. */
	before: ChainState | null
	deliver(messages: readonly CheckedMessage[]): void
	/** A pull failed; the next hint or join tries again. */
	failed(error: unknown): void
}

export class Tail implements Disposable {
	readonly #options: TailOptions
	readonly #queue = new Queue()
	readonly #stop: () => void
	#position: number
	#end: ChainState | null
	#open: Row[] = []
	#closed = false

	constructor(options: TailOptions) {
		this.#options = options
		this.#position = options.after
		this.#end = options.before
		this.#stop = options.feeds.listen(options.reader.session, {
			joined: () => void this.pull(),
			rows: (from, to, rows) => this.#take(from, to, rows),
		})
	}

	/** Number of the last row that was looked at. */
	get position(): number {
		return this.#position
	}

	/** Chain state there, when everything so far holds. */
	get end(): ChainState | null {
		return this.#end
	}

	/** Pulls what is there beyond the position; `through`: a number that is proved to exist. */
	pull(through = 0): Promise<void> {
		return this.#queue.run(async () => {
			try {
				await this.#pull(through)
			} catch (error) {
				if (!this.#closed) this.#options.failed(error)
			}
		})
	}

	#take(from: number, to: number, rows: readonly MessageRow[] | null): void {
		void this.#queue.run(async () => {
			if (to <= this.#position) return
			try {
				if (!rows || from !== this.#position + 1) return await this.#pull(0)
				const { reader } = this.#options
				const keys = await reader.keys(rows.reduce((most, row) => Math.max(most, row.epoch), 0))
				const window = { from, to: Math.min(to, from + pageSize) }
				const checked = await reader.check(rows, keys, { ...window, before: this.#end })
				// What a hint got wrong may be the hint's fault: the stored rows decide.
				if (checked.rows.some((row) => !row.ok)) return await this.#pull(0)
				this.#advance(checked.rows, window.to, checked.end)
			} catch (error) {
				if (!this.#closed) this.#options.failed(error)
			}
		})
	}

	async #pull(through: number): Promise<void> {
		for (;;) {
			const { reader } = this.#options
			const page = await reader.after(this.#position, { before: this.#end, through })
			if (this.#closed || page.last <= this.#position) return
			if (page.missing > 0) {
				const gap = reader.withheld(this.#position + 1, page.missing)
				this.#options.deliver([...reader.unfinished(this.#open), gap])
				this.#open = []
			}
			this.#advance(page.rows, page.last, page.end)
			const whole = page.rows.length < pageSize && page.missing === 0
			if (whole && !page.more && this.#position >= through) return
		}
	}

	#advance(rows: readonly Row[], last: number, end: ChainState | null): void {
		if (this.#closed) return
		this.#position = last
		this.#end = end
		const { messages, openEnd } = assemble(
			this.#options.reader.session,
			[...this.#open, ...rows],
			true,
		)
		this.#open =
			openEnd === null ? [] : [...this.#open, ...rows].filter((row) => row.seq >= openEnd)
		if (messages.length > 0) this.#options.deliver(messages)
	}

	[Symbol.dispose](): void {
		this.#closed = true
		this.#stop()
	}
}
