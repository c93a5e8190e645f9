/** `Viewer.search`: what was asked and found, while the index is brought, and kept, up to date. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from '../../account/account.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import { emptyQuery, maxQueryLength, parseQuery, type Query } from '../../search/query.ts'
import { Value } from '../readable.ts'
import { unreadSearch } from '../unread.ts'
import type { Readable, Search, SearchState, SessionSummary } from '../viewer.ts'
import { Crawl } from './crawl.ts'
import { type Added, SearchEngine } from './engine.ts'

/** Hits that are shown at first, and that `more` adds. */
export const hitsPage = 50
/** What grows is read this often at most, ms; and what was asked is answered again. */
const followEvery = 2000
const againEvery = 500
/** After a failure it is tried again, ms. */
const retryAfter = 5000

export interface SearchModelOptions {
	account: Account
	sessions: Readable<readonly SessionSummary[]>
	now(): Date
	crashed(error: unknown): void
}

export class SearchModel implements Search, AsyncDisposable {
	readonly state = new Value<SearchState>(unreadSearch)
	readonly #options: SearchModelOptions
	readonly #engine = new SearchEngine()
	readonly #stop = new AbortController()
	#started = false
	#query: Query | null = null
	#limit = hitsPage
	/** The question that waits for the one before to be answered. */
	#waiting = false
	#answering = false
	#answeredAt = Number.NEGATIVE_INFINITY
	#work: Promise<void> = Promise.resolve()

	constructor(options: SearchModelOptions) {
		this.#options = options
	}

	start(): void {
		if (this.#started || this.#stop.signal.aborted) return
		this.#started = true
		this.#work = this.#run().catch((error: unknown) => {
			if (!this.#stop.signal.aborted) this.#options.crashed(error)
		})
	}

	ask(text: string): void {
		const query = text.slice(0, maxQueryLength)
		const parsed = parseQuery(query, this.#options.now(), { typing: true })
		this.#limit = hitsPage
		const asked = parsed.query !== null && query.trim() !== '' ? parsed.query : null
		this.#query = asked
		const words = wordsOf(asked ?? emptyQuery)
		this.state.update((state) => ({
			...state,
			query,
			problem: parsed.problem,
			words,
			searching: asked !== null,
			...(asked === null ? { hits: [], total: 0 } : {}),
		}))
		if (asked) this.#answer()
	}

	more(): void {
		const { hits, total } = this.state.get()
		if (!this.#query || hits.length >= total || hits.length < this.#limit) return
		this.#limit += hitsPage
		this.state.update((state) => ({ ...state, searching: true }))
		this.#answer()
	}

	/** Answers what was asked last, once what is being answered now is done. */
	#answer(): void {
		this.#waiting = true
		if (this.#answering) return
		this.#answering = true
		this.#answerAll().catch((error: unknown) => this.#options.crashed(error))
	}

	async #answerAll(): Promise<void> {
		while (this.#waiting && !this.#stop.signal.aborted) {
			this.#waiting = false
			const query = this.#query
			if (!query) continue
			const { hits, total } = await this.#engine.ask(query, this.#limit)
			this.#answeredAt = performance.now()
			if (this.#query !== query) continue
			this.state.update((state) => ({ ...state, hits, total, searching: this.#waiting }))
		}
		this.#answering = false
	}

	async #run(): Promise<void> {
		const { account, sessions } = this.#options
		const crawl = new Crawl({
			account,
			sink: this.#engine,
			positions: this.#engine.positions(),
			signal: this.#stop.signal,
			added: (added) => this.#grown(added),
		})
		await this.#untilDone(() => this.#catchUp(crawl))
		this.#index({ upToDate: true })
		for (;;) {
			const grown = sessions
				.get()
				.filter(({ id, messages }) => crawl.hasGrown({ id, last_seq: messages }))
			for (const { id, messages } of grown) {
				await this.#untilDone(() => this.#follow(crawl, { id, last_seq: messages }))
			}
			await sleep(followEvery, undefined, { signal: this.#stop.signal, ref: false })
		}
	}

	async #catchUp(crawl: Crawl): Promise<void> {
		let known = 0
		let done = 0
		for await (const rows of crawl.sessions()) {
			known += rows.length
			this.#index({ sessions: known })
			for (const row of rows) {
				if (crawl.hasGrown(row)) await crawl.read(row)
				this.#index({ sessionsDone: ++done })
			}
		}
		this.#index({ problem: null })
	}

	async #follow(crawl: Crawl, session: { id: string; last_seq: number }): Promise<void> {
		const row = await this.#options.account.gateway.readSession(session.id)
		if (!row) return
		await crawl.describe([row])
		await crawl.read(row)
	}

	/** Again and again while the backend is away. */
	async #untilDone(work: () => Promise<void>): Promise<void> {
		for (;;) {
			try {
				return await work()
			} catch (error) {
				if (this.#stop.signal.aborted || !(error instanceof StyrbyError)) throw error
				this.#index({ problem: error.message })
				await sleep(retryAfter, undefined, { signal: this.#stop.signal, ref: false })
			}
		}
	}

	#grown({ messages, unverified }: Added): void {
		const { index } = this.state.get()
		this.#index({ messages, problem: unverified > 0 ? unverifiedText(unverified) : index.problem })
		const old = performance.now() - this.#answeredAt > againEvery
		if (this.#query && old && !this.#answering) this.#answer()
	}

	#index(change: Partial<SearchState['index']>): void {
		if (this.#stop.signal.aborted) return
		this.state.update((state) => ({ ...state, index: { ...state.index, ...change } }))
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort()
		await this.#work
	}
}

const wordsOf = ({ terms }: Query) => terms.flatMap(({ text, not }) => (not ? [] : [text]))

function unverifiedText(count: number): string {
	const messages = count === 1 ? '1 message' : `${count} messages`
	return `${messages} did not verify, or can't be opened here, and can't be found.`
}
