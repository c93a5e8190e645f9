/** The live channel of one session: frames and heartbeats checked, hints about new rows passed on. */
import type { Account } from '../account/account.ts'
import type { ScopeKeys } from '../account/key-ring.ts'
import type { Channel, MessageRow, SessionHint } from '../backend/gateway.ts'
import { fromBase64 } from '../protocol/bytes.ts'
import { isActive } from '../protocol/device-log.ts'
import { StyrbyError } from '../protocol/errors.ts'
import {
	checkHeartbeat,
	type Heartbeat,
	openTextFrame,
	type SealedFrame,
	type TextFrame,
} from '../protocol/live.ts'
import { SessionReader } from './session-reader.ts'

export interface FeedListener {
	/** The channel is joined (again): pull once. */
	joined?(): void
	lost?(why: string): void
	/** New rows are there; `rows` when they were small enough to come along. */
	rows?(from: number, to: number, rows: readonly MessageRow[] | null): void
	text?(frame: TextFrame): void
	heartbeat?(heartbeat: Heartbeat): void
	/** Something on the channel did not verify: one sentence. */
	attack?(code: string): void
}

/**
 * A heartbeat that was signed longer ago, ms, is a recording, or from a host whose clock is that far
 * behind: no sign of life either way.
 */
const oldest = 10 * 60_000

/** One channel a session, however many listen. */
export class SessionFeed implements AsyncDisposable {
	readonly reader: SessionReader
	readonly #account: Account
	readonly #channel: Channel
	readonly #listeners = new Set<FeedListener>()
	#joined = false
	#newestFrame = -1
	#newestBeat = Number.NEGATIVE_INFINITY
	#work: Promise<void> = Promise.resolve()

	constructor(account: Account, session: string) {
		this.#account = account
		this.reader = new SessionReader(account, session)
		this.#channel = account.gateway.followSession(session, (hint) => this.#take(hint))
	}

	/** Returns how to stop. A listener that comes late is told at once that the channel is joined. */
	listen(listener: FeedListener): () => void {
		this.#listeners.add(listener)
		if (this.#joined) listener.joined?.()
		return () => this.#listeners.delete(listener)
	}

	get listeners(): number {
		return this.#listeners.size
	}

	#take(hint: SessionHint): void {
		switch (hint.type) {
			case 'joined':
				this.#joined = true
				this.#tell((listener) => listener.joined?.())
				return
			case 'lost':
				this.#joined = false
				this.#tell((listener) => listener.lost?.(hint.why))
				return
			case 'messages':
				if (hint.session !== this.reader.session) return
				this.#tell((listener) => listener.rows?.(hint.from, hint.to, hint.rows))
				return
			case 'frame':
			case 'heartbeat':
				// In order, though the first one may have to wait for the session's keys.
				this.#work = this.#work.then(() => this.#verify(hint))
		}
	}

	async #verify(hint: Extract<SessionHint, { type: 'frame' | 'heartbeat' }>): Promise<void> {
		try {
			if (hint.type === 'heartbeat') await this.#heartbeat(hint)
			else await this.#frame(hint)
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			this.#tell((listener) => listener.attack?.(error.code))
		}
	}

	async #heartbeat(hint: Extract<SessionHint, { type: 'heartbeat' }>): Promise<void> {
		const keys = await this.reader.keys()
		const { log } = this.#account
		if (!keys.signPublic || keys.by === null || !isActive(log.state, keys.by)) return
		const signed = { bytes: fromBase64(hint.bytes), signature: fromBase64(hint.signature, 64) }
		const heartbeat = checkHeartbeat(signed, this.reader.session, keys.signPublic)
		// A server may play an old one again, to make a dead host look alive.
		const at = Date.parse(heartbeat.at)
		if (at <= this.#newestBeat || this.#account.now().getTime() - at > oldest) return
		await log.reach(heartbeat.log, keys.by)
		this.#account.heads.saw(keys.by, heartbeat)
		this.#newestBeat = at
		this.#account.seen.saw(this.reader.session, heartbeat.seq)
		this.#tell((listener) => listener.heartbeat?.(heartbeat))
	}

	async #frame(hint: Extract<SessionHint, { type: 'frame' }>): Promise<void> {
		const keys = await this.reader.keys()
		const sealed = {
			nonce: fromBase64(hint.nonce, 24),
			ciphertext: fromBase64(hint.ciphertext),
			signature: fromBase64(hint.signature, 64),
		}
		const frame = this.#open(sealed, keys) ?? this.#open(sealed, await this.reader.newKeys(keys))
		if (!frame || frame.n <= this.#newestFrame) return
		this.#newestFrame = frame.n
		this.#tell((listener) => listener.text?.(frame))
	}

	/** `null` where the newest key does not open it: then there may be a newer one. */
	#open(sealed: SealedFrame, keys: ScopeKeys): TextFrame | null {
		const key = keys.keyOf(keys.newest)
		if (!keys.signPublic || key instanceof StyrbyError) return null
		try {
			return openTextFrame(sealed, this.reader.session, key, keys.signPublic)
		} catch (error) {
			if (error instanceof StyrbyError && error.code === 'frame_altered') return null
			throw error
		}
	}

	#tell(what: (listener: FeedListener) => void): void {
		for (const listener of [...this.#listeners]) what(listener)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#listeners.clear()
		await this.#channel[Symbol.asyncDispose]()
	}
}

/** Opens feeds on demand and closes those that nobody listens to. */
export class FeedPool implements AsyncDisposable {
	readonly #account: Account
	readonly #feeds = new Map<string, SessionFeed>()

	constructor(account: Account) {
		this.#account = account
	}

	/** Listens to a session; the returned function stops, and closes the channel after the last one. */
	listen(session: string, listener: FeedListener): () => void {
		let feed = this.#feeds.get(session)
		if (!feed) {
			feed = new SessionFeed(this.#account, session)
			this.#feeds.set(session, feed)
		}
		const opened = feed
		const stop = opened.listen(listener)
		return () => {
			stop()
			if (opened.listeners > 0 || this.#feeds.get(session) !== opened) return
			this.#feeds.delete(session)
			void opened[Symbol.asyncDispose]()
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const feeds = [...this.#feeds.values()]
		this.#feeds.clear()
		await Promise.all(feeds.map((feed) => feed[Symbol.asyncDispose]()))
	}
}
