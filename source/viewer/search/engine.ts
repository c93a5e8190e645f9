/** The index of one account, and the checks that every message passes before it gets there. */
import { setImmediate as turn } from 'node:timers/promises'
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'
import type { Found } from '../../search/document.ts'
import { IndexFolder } from '../../search/index-folder.ts'
import { type Findings, keepInMemory, MessageIndex } from '../../search/message-index.ts'
import { snippetOf } from '../../search/occurrences.ts'
import type { Query } from '../../search/query.ts'
import { searchable } from '../../search/searchable.ts'
import type { Segment, SegmentData } from '../../search/segment.ts'
import { type SearchedSession, sessionFits } from '../../search/session-filter.ts'
import { assemble, type CheckedMessage, checkRows } from '../checked-message.ts'
import { openedEvent } from '../opened-event.ts'
import { Queue } from '../readable.ts'
import { type Proved, provedBy } from '../session-reader.ts'
import type { SearchHit } from '../viewer.ts'
import type { Added, Answer, Batch, Counts, Engine, EngineOptions, Opened } from './engine-types.ts'
import { scopeKeys } from './plain-keys.ts'
import {
	addGap,
	begin,
	keep,
	keptPosition,
	type Position,
	restore,
	unverified,
	withoutGap,
} from './position.ts'

const searchedSession = v.object({
	id: v.string(),
	agent: v.string(),
	status: v.string(),
	project: v.nullable(v.string()),
	title: v.nullable(v.string()),
	host: v.object({ id: v.string(), name: v.nullable(v.string()) }),
	pending: v.number(),
	stale: v.boolean(),
})
const keptSchema = v.object({
	positions: v.map(v.string(), keptPosition),
	sessions: v.array(searchedSession),
})

export class SearchEngine implements Engine {
	readonly #options: EngineOptions
	#index = new MessageIndex()
	#folder: IndexFolder | null = null
	#diskProblem: string | null = null
	readonly #sessions = new Map<string, SearchedSession>()
	readonly #positions = new Map<string, Position>()
	/** What changes the index comes one after the other; questions are answered in between. */
	readonly #changes = new Queue()
	#changed = false
	/** The newest question. */
	#asked = 0
	#answering: Promise<unknown> = Promise.resolve()

	constructor(options: EngineOptions) {
		this.#options = options
	}

	open(): Promise<Opened> {
		return this.#changes.run(() => this.#open())
	}

	async #open(): Promise<Opened> {
		const { folder, key, account } = this.#options
		let damaged = false
		if (folder !== null) {
			try {
				this.#folder = await IndexFolder.open(folder, key, account)
				damaged = !(await this.#load(this.#folder))
			} catch (error) {
				this.#diskFailed(error)
			}
		}
		const positions = [...this.#positions].map(
			([id, { last, gaps }]) => [id, { last, gaps }] as const,
		)
		return {
			...this.#counts(),
			positions: new Map(positions),
			sessions: [...this.#sessions.values()],
			damaged,
		}
	}

	/** `false`: what was there was damaged, and is gone. */
	async #load(folder: IndexFolder): Promise<boolean> {
		try {
			const opened = await folder.load()
			if (!opened) return true
			const { positions, sessions } = v.parse(keptSchema, opened.kept)
			for (const segment of opened.segments) this.#index.addSegment(segment)
			for (const [id, position] of positions) this.#positions.set(id, restore(position))
			for (const session of sessions) this.#sessions.set(session.id, session)
			return true
		} catch (error) {
			const damaged = error instanceof StyrbyError && error.code === 'search_index_damaged'
			if (!damaged && !(error instanceof v.ValiError)) throw error
			// Whoever has it at the moment may have replaced what was being opened: then there is none here.
			await folder.clear()
			return !folder.writable
		}
	}

	async describe(sessions: readonly SearchedSession[]): Promise<void> {
		for (const session of sessions) this.#sessions.set(session.id, session)
	}

	add(batch: Batch): Promise<Added> {
		return this.#changes.run(async () => {
			const added = this.#add(batch)
			if (this.#index.isFull) await this.#settle()
			return { ...added, ...this.#counts() }
		})
	}

	#add({ session, rows, window, last, keys, again }: Batch): { last: number; proved: Proved } {
		const position = this.#positions.get(session) ?? begin()
		this.#positions.set(session, position)
		this.#changed = true
		let proved: Proved = { last: null, heads: [] }
		if (window && again) {
			position.gaps = withoutGap(position.gaps, window.from, window.to)
			const checked = checkRows(rows, scopeKeys(keys), { session, ...window })
			proved = provedBy(checked.rows)
			const { messages, openEnd } = assemble(session, checked.rows, true)
			this.#take(messages, position)
			if (openEnd !== null) addGap(position, openEnd, window.to)
		} else if (window) {
			const before = position.last === window.from - 1 ? position.end : null
			const checked = checkRows(rows, scopeKeys(keys), { session, ...window, before })
			proved = provedBy(checked.rows)
			const all = [...position.carried, ...checked.rows]
			const { messages, openEnd } = assemble(session, all, true)
			position.end = checked.end
			position.carried = openEnd === null ? [] : all.filter(({ seq }) => seq >= openEnd)
			this.#take(messages, position)
		} else {
			const from = position.carried[0]?.seq ?? position.last + 1
			if (last >= from) addGap(position, from, last)
			position.end = null
			position.carried = []
		}
		position.last = Math.max(position.last, last)
		return { last: position.last, proved }
	}

	#take(messages: readonly CheckedMessage[], position: Position): void {
		for (const message of messages) {
			const { session, seq, at, verified, rows } = message
			const event = verified ? openedEvent(message) : null
			if (!event) {
				addGap(position, seq, seq + rows - 1)
				continue
			}
			const found = searchable(event)
			if (found) this.#index.add({ session, seq, at: Date.parse(at), kind: event.kind, ...found })
		}
	}

	#counts(): Counts {
		let lacking = 0
		for (const position of this.#positions.values()) lacking += unverified(position)
		return { messages: this.#index.size, unverified: lacking, diskProblem: this.#diskProblem }
	}

	flush(): Promise<Counts> {
		return this.#changes.run(async () => {
			if (this.#changed) await this.#settle()
			return this.#counts()
		})
	}

	/** Makes a segment of what has come, and puts it on the disk where there is one. */
	async #settle(): Promise<void> {
		const replaced = await this.#index.settle((data, blocks) => this.#keep(data, blocks))
		// Whoever looks through what was replaced comes to an end first.
		await this.#answering
		const folder = this.#onDisk()
		if (!folder) {
			for (const segment of replaced) segment[Symbol.dispose]()
			return
		}
		const positions = new Map([...this.#positions].map(([id, each]) => [id, keep(each)]))
		const sessions = [...this.#sessions.values()].filter(({ id }) => positions.has(id))
		try {
			await folder.commit(this.#index.segments, { positions, sessions }, replaced)
			this.#changed = false
		} catch (error) {
			this.#diskFailed(error)
		}
	}

	async #keep(data: SegmentData, blocks: string[]): Promise<Segment> {
		try {
			const kept = await this.#onDisk()?.add(data, blocks)
			if (kept) return kept
		} catch (error) {
			this.#diskFailed(error)
		}
		return keepInMemory(data, blocks)
	}

	/** Where the index is kept; `null`: in memory, or another process keeps it. */
	#onDisk(): IndexFolder | null {
		return this.#diskProblem === null && this.#folder?.writable === true ? this.#folder : null
	}

	/** From now on it is in memory: what the disk has is older, and whole. */
	#diskFailed(error: unknown): void {
		if (!(error instanceof StyrbyError)) throw error
		this.#diskProblem = `The search index is not kept: ${error.message}`
	}

	async ask(
		query: Query,
		limit: number,
		partial: (answer: Answer) => void,
	): Promise<Answer | null> {
		const question = ++this.#asked
		const answering = this.#answer(question, query, limit, partial)
		// One that is given up may still be at work for a moment.
		const others = this.#answering
		this.#answering = answering.then(
			() => others,
			() => others,
		)
		return answering
	}

	async #answer(
		question: number,
		query: Query,
		limit: number,
		partial: (answer: Answer) => void,
	): Promise<Answer | null> {
		// Of questions that have come together only the last is worth the work.
		await turn()
		if (question !== this.#asked) return null
		const fits = this.#fits(query)
		const terms = query.terms.filter(({ not }) => !not).map(({ text }) => text)
		for await (const findings of this.#index.find(
			query,
			limit,
			fits,
			() => question === this.#asked,
		)) {
			if (question !== this.#asked) return null
			const answer = this.#shown(findings, terms)
			if (findings.done) return answer
			partial(answer)
		}
		return null
	}

	/** Whether a session is meant; each is looked at once. */
	#fits(query: Query): (session: string) => boolean {
		const known = new Map<string, boolean>()
		return (id) => {
			const before = known.get(id)
			if (before !== undefined) return before
			const session = this.#sessions.get(id)
			const fits = session !== undefined && sessionFits(session, query)
			known.set(id, fits)
			return fits
		}
	}

	#shown({ found, total }: Findings, terms: readonly string[]): Answer {
		return { hits: found.map((each) => this.#hit(each, terms)), total }
	}

	#hit({ session, seq, at, kind, text }: Found, terms: readonly string[]): SearchHit {
		const about = this.#sessions.get(session)
		return {
			session,
			seq,
			at: new Date(at).toISOString(),
			kind,
			agent: about?.agent ?? '',
			project: about?.project ?? null,
			title: about?.title ?? null,
			...snippetOf(text, terms),
		}
	}

	rebuild(): Promise<void> {
		this.#asked++
		return this.#changes.run(async () => {
			await this.#answering
			this.#index[Symbol.dispose]()
			this.#index = new MessageIndex()
			this.#positions.clear()
			await this.#folder?.clear()
		})
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#asked++
		await this.#changes.idle()
		await this.#answering
		this.#index[Symbol.dispose]()
		this.#folder?.[Symbol.dispose]()
	}
}
