/** `Viewer.search`: what was asked and found, while the index is brought, and kept, up to date. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from '../../account/account.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import { emptyQuery, maxQueryLength, parseQuery, type Query } from '../../search/query.ts'
import { Value } from '../readable.ts'
import { unreadSearch } from '../unread.ts'
import type { Readable, Search, SearchState, SessionSummary } from '../viewer.ts'
import { Crawl } from './crawl.ts'
import type { Answer, Counts, Engine, Opened } from './engine-types.ts'

/** Hits that are shown at first, and that `more` adds. */
export const hitsPage = 50
/** What grows is read this often at most, and what came is put on the disk this often; ms. */
const followEvery = 2000
const flushEvery = 60_000
/** While the index grows, what was asked is answered again this often, ms. */
const againEvery = 500
/** After a failure it is tried again, ms. */
const retryAfter = 5000

export interface SearchModelOptions {
	account: Account
	/** What is known of sessions meanwhile. */
	sessions: Readable<readonly SessionSummary[]>
	/** Where the index is kept, a folder of this account's own; `null`: in memory only. */
	folder: string | null
	now(): Date
	crashed(error: unknown): void
}

export class SearchModel implements Search, AsyncDisposable {
	readonly state = new Value<SearchState>(unreadSearch)
	readonly #options: SearchModelOptions
	readonly #stop = new AbortController()
	readonly #engine = Promise.withResolvers<Engine>()
	/** Aborted where the index has to be built anew. */
	#round = new AbortController()
	#started = false
	#query: Query | null = null
	#limit = hitsPage
	/** Questions on their way: all but the last come to nothing. */
	#answering = 0
	#answeredAt = Number.NEGATIVE_INFINITY
	#flushedAt = 0
	#work: Promise<void> = Promise.resolve()
	readonly #problems = {
		damaged: false,
		backend: null as string | null,
		disk: null as string | null,
		unverified: 0,
	}

	constructor(options: SearchModelOptions) {
		this.#options = options
		this.#engine.promise.catch(() => undefined)
	}

	start(): void {
		if (this.#started || this.#stop.signal.aborted) return
		this.#started = true
		this.#work = this.#run().catch((error: unknown) => this.#failed(error))
	}

	ask(text: string): void {
		const query = text.slice(0, maxQueryLength)
		const parsed = parseQuery(query, this.#options.now(), { typing: true })
		const asked = parsed.query !== null && query.trim() !== '' ? parsed.query : null
		this.#limit = hitsPage
		this.#query = asked
		this.state.update((state) => ({
			...state,
			query,
			problem: parsed.problem,
			words: wordsOf(asked ?? emptyQuery),
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

	/** Answers what was asked last; what is being answered meanwhile is given up for it. */
	#answer(): void {
		if (this.#query) {
			this.#answerOne(this.#query).catch((error: unknown) => this.#failed(error))
		}
	}

	async #answerOne(query: Query): Promise<void> {
		const isAsked = () => this.#query === query && !this.#stop.signal.aborted
		const show = (answer: Answer, searching: boolean) => {
			if (isAsked()) this.state.update((state) => ({ ...state, ...answer, searching }))
		}
		this.#answering++
		try {
			const engine = await this.#engine.promise
			if (!isAsked()) return
			const answer = await engine.ask(query, this.#limit, (partial) => show(partial, true))
			this.#answeredAt = performance.now()
			if (answer) show(answer, false)
		} catch (error) {
			const damaged = error instanceof StyrbyError && error.code === 'search_index_damaged'
			if (!damaged) throw error
			this.#round.abort()
		} finally {
			this.#answering--
		}
	}

	async #run(): Promise<void> {
		const { account, folder } = this.#options
		const [{ WorkerEngine }, { indexKey }] = await Promise.all([
			import('./worker-engine.ts'),
			import('../../search/seal.ts'),
		])
		this.#stop.signal.throwIfAborted()
		const key = indexKey(account.device.boxSecret)
		await using engine = new WorkerEngine({ folder, key, account: account.id })
		let opened = await engine.open()
		this.#problems.damaged = opened.damaged
		this.#engine.resolve(engine)
		for (;;) {
			this.#round = new AbortController()
			const signal = AbortSignal.any([this.#stop.signal, this.#round.signal])
			try {
				await this.#keepUp(engine, opened, signal)
			} catch (error) {
				if (this.#stop.signal.aborted || !this.#round.signal.aborted) throw error
				await engine.rebuild()
				opened = { ...opened, messages: 0, unverified: 0, positions: new Map() }
				this.#problems.damaged = true
			}
		}
	}

	async #keepUp(engine: Engine, opened: Opened, signal: AbortSignal): Promise<never> {
		const { account, sessions } = this.#options
		const crawl = new Crawl({
			account,
			engine,
			positions: opened.positions,
			described: opened.sessions,
			signal,
			added: (counts) => this.#grown(counts),
		})
		this.#index({ messages: opened.messages, upToDate: false })
		this.#counted(opened)
		await this.#untilDone(signal, () => this.#catchUp(crawl))
		this.#counted(await engine.flush())
		this.#problems.damaged = false
		this.#index({ upToDate: true })
		if (this.#answering === 0) this.#answer()
		for (;;) {
			const known = sessions.get()
			await crawl.say(known)
			for (const { id, messages } of known) {
				if (!crawl.hasGrown({ id, last_seq: messages })) continue
				await this.#untilDone(signal, () => this.#follow(crawl, id))
			}
			if (performance.now() - this.#flushedAt > flushEvery) {
				this.#flushedAt = performance.now()
				this.#counted(await engine.flush())
			}
			await sleep(followEvery, undefined, { signal, ref: false })
		}
	}

	async #catchUp(crawl: Crawl): Promise<void> {
		let known = 0
		let done = 0
		for await (const rows of crawl.sessions()) {
			known += rows.length
			this.#index({ sessions: known })
			for (const row of rows) {
				const grown = crawl.hasGrown(row)
				await crawl.readGaps(row.id)
				if (grown) await crawl.read(row)
				done++
				// A page of sessions that have not changed is no news two hundred times.
				if (grown || done === known) this.#index({ sessionsDone: done })
			}
		}
	}

	async #follow(crawl: Crawl, session: string): Promise<void> {
		const row = await this.#options.account.gateway.readSession(session)
		if (!row) return
		await crawl.describe([row])
		await crawl.read(row)
	}

	/** Again and again while the backend is away. */
	async #untilDone(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
		for (;;) {
			try {
				await work()
				this.#problems.backend = null
				this.#index({})
				return
			} catch (error) {
				const stopped = error instanceof StyrbyError && error.code === 'search_stopped'
				if (signal.aborted || stopped || !(error instanceof StyrbyError)) throw error
				this.#problems.backend = error.message
				this.#index({})
				await sleep(retryAfter, undefined, { signal, ref: false })
			}
		}
	}

	#grown(counts: Counts): void {
		this.#counted(counts)
		const old = performance.now() - this.#answeredAt > againEvery
		if (old && this.#answering === 0) this.#answer()
	}

	#counted({ messages, unverified, diskProblem }: Counts): void {
		this.#problems.unverified = unverified
		this.#problems.disk = diskProblem
		this.#index({ messages })
	}

	#index(change: Partial<SearchState['index']>): void {
		if (this.#stop.signal.aborted) return
		const { damaged, backend, disk, unverified } = this.#problems
		const problem =
			backend ??
			disk ??
			(damaged ? damagedText : null) ??
			(unverified > 0 ? unverifiedText(unverified) : null)
		this.state.update((state) => {
			const index = { ...state.index, problem, ...change }
			return same(index, state.index) ? state : { ...state, index }
		})
	}

	/** The search can't go on; the rest of the viewer can. */
	#failed(error: unknown): void {
		if (this.#stop.signal.aborted) return
		this.#engine.reject(error)
		if (!(error instanceof StyrbyError)) {
			this.#options.crashed(error)
			return
		}
		this.#problems.backend = error.message
		this.#index({})
		this.state.update((state) => ({ ...state, searching: false }))
	}

	/** Ends it, and takes the index off the disk: this device may read no more. */
	async forget(): Promise<void> {
		await this[Symbol.asyncDispose]()
		this.state.set(unreadSearch)
		const { folder } = this.#options
		if (folder === null) return
		const { deleteIndex } = await import('../../search/index-folder.ts')
		await deleteIndex(folder)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort()
		await this.#work
	}
}

const wordsOf = ({ terms }: Query) => terms.flatMap(({ text, not }) => (not ? [] : [text]))

function same(a: SearchState['index'], b: SearchState['index']): boolean {
	return (
		a.messages === b.messages &&
		a.sessionsDone === b.sessionsDone &&
		a.sessions === b.sessions &&
		a.upToDate === b.upToDate &&
		a.problem === b.problem
	)
}

const damagedText = 'The search index on this machine was damaged or changed, and is built anew.'

function unverifiedText(count: number): string {
	const messages = count === 1 ? '1 message' : `${count} messages`
	return `${messages} did not verify, or can't be opened here, and can't be found.`
}
