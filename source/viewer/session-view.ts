/** One session as it is looked at: a window of checked messages that can follow the live end. */
import { isDeepStrictEqual } from 'node:util'
import type { Account } from '../account/account.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { TextFrame } from '../protocol/live.ts'
import { sessionScope } from '../protocol/scope.ts'
import { assemble, type CheckedMessage } from './checked-message.ts'
import { factsAfter, readFacts } from './facts.ts'
import { addFrame, dropFinished } from './live-text.ts'
import { Queue, Value } from './readable.ts'
import { readersOf } from './readers.ts'
import { sendersOf } from './senders.ts'
import type { FeedPool } from './session-feed.ts'
import { SessionReader } from './session-reader.ts'
import { Tail } from './tail.ts'
import { unreadSession } from './unread.ts'
import type { Readable, SessionState, SessionSummary, SessionView } from './viewer.ts'

/** Rows loaded at once, and kept at most; the far end of the window is dropped. */
const step = 200
const most = 1200

export interface SessionViewOptions {
	account: Account
	feeds: FeedPool
	session: string
	summary: Readable<SessionSummary | null>
	now(): Date
}

export class OpenSession implements SessionView {
	readonly state: Value<SessionState> = new Value(unreadSession)
	readonly #options: SessionViewOptions
	readonly #reader: SessionReader
	readonly #queue = new Queue()
	readonly #stops: (() => void)[] = []
	#tail: Tail | null = null
	#closed = false

	constructor(options: SessionViewOptions) {
		this.#options = options
		this.#reader = new SessionReader(options.account, options.session)
		const { summary, feeds, session } = options
		this.#change({ summary: summary.get() })
		this.#stops.push(summary.subscribe(() => this.#change({ summary: summary.get() })))
		this.#stops.push(options.account.log.onChange(() => this.#countReaders()))
		this.#stops.push(
			feeds.listen(session, {
				text: (frame) => this.#text(frame),
				heartbeat: ({ seq }) => {
					this.#change({ lastHeartbeat: options.now().toISOString() })
					if (this.#tail && seq > this.#tail.position) void this.#tail.pull(seq)
				},
				lost: () => this.#change({ live: [] }),
				attack: (code) =>
					this.#change({ error: `Something on the live channel did not verify (${code}).` }),
			}),
		)
		void this.loadEnd()
	}

	loadEnd(): Promise<void> {
		return this.#load(async () => {
			const row = await this.#options.account.gateway.readSession(this.#options.session)
			if (!row) {
				throw new StyrbyError('no_such_session', 'There is no such session in this account.')
			}
			const last = this.#reader.through(row)
			const { rows, end } = await this.#reader.before(last + 1, step)
			const { messages, openEnd } = assemble(this.#options.session, rows)
			const after = openEnd === null ? last : openEnd - 1
			const before = openEnd === null ? end : null
			this.#show(messages, { hasNewer: false })
			this.#follow(after, before)
			await this.#readers()
			await this.#facts(last)
		})
	}

	loadOlder(): Promise<void> {
		return this.#load(async () => {
			const { messages } = this.state.get()
			const first = messages[0]?.seq ?? 1
			const { rows } = await this.#reader.before(first, step)
			const older = assemble(this.#options.session, rows).messages.filter(({ seq }) => seq < first)
			const kept = [...older, ...messages].slice(0, most)
			const dropped = kept.length < older.length + messages.length
			if (dropped) this.#unfollow()
			this.#show(kept, { hasNewer: dropped || this.state.get().hasNewer })
		})
	}

	loadNewer(): Promise<void> {
		return this.#load(async () => {
			const { messages, hasNewer } = this.state.get()
			if (!hasNewer) return
			const last = messages.at(-1)
			const after = last ? last.seq + last.rows - 1 : 0
			const page = await this.#reader.after(after, { limit: step })
			const { messages: newer, openEnd } = assemble(this.#options.session, page.rows)
			const kept = [...messages, ...newer].slice(-most)
			if (page.rows.length < step) {
				this.#show(kept, { hasNewer: false })
				this.#follow(openEnd === null ? page.last : openEnd - 1, openEnd === null ? page.end : null)
			} else {
				this.#show(kept, { hasNewer: true })
			}
		})
	}

	loadAround(seq: number): Promise<void> {
		return this.#load(async () => {
			const from = Math.max(0, seq - 1 - step / 2)
			const page = await this.#reader.after(from, { limit: step })
			this.#unfollow()
			this.#show(assemble(this.#options.session, page.rows).messages, { hasNewer: true })
		})
	}

	/** What comes after its block was finished is late, or played again by the server. */
	#text(frame: TextFrame): void {
		const { live, messages } = this.state.get()
		const added = addFrame(live, frame)
		this.#change({
			live: dropFinished(
				added,
				messages.filter(({ kind }) => kind === frame.kind),
			),
		})
	}

	#follow(after: number, before: ConstructorParameters<typeof Tail>[0]['before']): void {
		this.#unfollow()
		this.#tail = new Tail({
			reader: this.#reader,
			feeds: this.#options.feeds,
			after,
			before,
			deliver: (messages) => this.#append(messages),
			failed: (error) => this.#fail(error),
		})
	}

	#unfollow(): void {
		this.#tail?.[Symbol.dispose]()
		this.#tail = null
	}

	#append(messages: readonly CheckedMessage[]): void {
		const state = this.state.get()
		const all = [...state.messages, ...messages]
		// Cut in large steps, so that the window does not move with every message.
		const kept = all.length > most + step ? all.slice(-most) : all
		const facts = factsAfter(state.facts, messages)
		this.#show(kept, { hasNewer: false, live: dropFinished(state.live, messages), facts })
		this.#countReaders()
	}

	#show(messages: readonly SessionState['messages'][number][], more: Partial<SessionState>): void {
		const last = messages.at(-1)
		this.#change({
			...more,
			messages,
			senders: sendersOf(this.#options.account, messages),
			hasOlder: (messages[0]?.seq ?? 1) > 1,
			problems: messages.filter(({ problem }) => problem !== null).length,
			verifiedTo: last ? last.seq + last.rows - 1 : 0,
			error: null,
		})
	}

	/** Of a session that goes on: its host says it again and again, so it is not far from the end. */
	async #facts(last: number): Promise<void> {
		const { messages, facts, summary } = this.state.get()
		const shown = factsAfter(facts, messages)
		const far = shown.takes === null && (messages[0]?.seq ?? 1) > 1 && summary?.endedAt === null
		const known = far ? await readFacts(this.#reader, last) : shown
		// What has come meanwhile is newer.
		this.#change({ facts: factsAfter(known, this.state.get().messages) })
	}

	async #readers(): Promise<void> {
		await this.#reader.keys()
		this.#countReaders()
	}

	/** With every change of the log, and with every new key that came with a message. */
	#countReaders(): void {
		const { account, session } = this.#options
		const keys = account.keys.known(sessionScope(session))
		if (!keys) return
		const readers = readersOf(account.log.state, keys)
		if (!isDeepStrictEqual(readers, this.state.get().readers)) this.#change({ readers })
	}

	async #load(work: () => Promise<void>): Promise<void> {
		await this.#queue.run(async () => {
			if (this.#closed) return
			this.#change({ loading: true })
			try {
				await work()
			} catch (error) {
				this.#fail(error)
			} finally {
				this.#change({ loading: false })
			}
		})
	}

	#fail(error: unknown): void {
		const message = error instanceof StyrbyError ? error.message : 'The session could not be read.'
		this.#change({ error: message })
		if (!(error instanceof StyrbyError)) throw error
	}

	#change(change: Partial<SessionState>): void {
		if (!this.#closed) this.state.update((state) => ({ ...state, ...change }))
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#closed = true
		this.#unfollow()
		for (const stop of this.#stops) stop()
		await this.#queue.idle()
	}
}
