/** The list of sessions, kept up to date: rows from the backend, names opened, silence noticed. */
import type { Account } from '../account/account.ts'
import type { MessageRow, SessionRow } from '../backend/gateway.ts'
import { StyrbyError } from '../protocol/errors.ts'
import { staleAfter } from '../protocol/live.ts'
import { Value } from './readable.ts'
import type { FeedPool } from './session-feed.ts'
import { lastingProblems, loadHosts, summarise } from './session-summary.ts'
import type { Listing, SessionSummary } from './viewer.ts'

/** Sessions listed at once; older ones by `more`. */
export const listPage = 200
/** Live sessions whose heartbeats are listened to at most: each takes a channel. */
const maxWatched = 64
const liveStatuses = new Set(['starting', 'running', 'idle'])
const checkEvery = 5_000
/** Rows that are taken, or looked at again, at once; what a person presses comes in between. */
const atOnce = 50

interface Watch {
	stop(): void
	/** ms since the epoch of the last heartbeat, or of when the listening began. */
	lastSign: number
	/** Its row was read again since: that it has ended may have been missed. */
	asked: boolean
}

interface Entry {
	row: SessionRow
	summary: SessionSummary
	/** Of the last activity, ms since the epoch. */
	at: number
}

/** The newest first; of the same moment, as the server lists them. */
const newestFirst = (a: Entry, b: Entry) => b.at - a.at || (a.row.id < b.row.id ? 1 : -1)

export class SessionList implements Disposable {
	readonly sessions = new Value<readonly SessionSummary[]>([])
	readonly listing = new Value<Listing>({ more: false, loading: false })
	readonly #account: Account
	readonly #feeds: FeedPool
	readonly #now: () => Date
	readonly #pushed: (session: string, rows: readonly MessageRow[]) => void
	readonly #entries = new Map<string, Entry>()
	/** All of them, the newest first. */
	#order: readonly Entry[] = []
	/** Sessions that are said to run. */
	readonly #running = new Set<string>()
	readonly #watches = new Map<string, Watch>()
	readonly #timer: NodeJS.Timeout
	/** Sessions that are to be looked at again, since something else than their rows has changed. */
	readonly #again = new Set<string>()
	#lookingAgain: NodeJS.Immediate | null = null
	#closed = false
	#withheld = 0
	/** The last row of the oldest page read: where the next one begins. */
	#reached: SessionRow | null = null
	#loading: Promise<boolean> | null = null

	/** `pushed` is given the rows that come over the live channels of sessions that go on. */
	constructor(
		account: Account,
		feeds: FeedPool,
		now: () => Date,
		pushed: (session: string, rows: readonly MessageRow[]) => void = () => undefined,
	) {
		this.#pushed = pushed
		this.#account = account
		this.#feeds = feeds
		this.#now = now
		this.#timer = setInterval(() => this.#check(), checkEvery).unref()
	}

	/** Rows of sessions that go on, or in which something waits, as the server says. */
	get live(): SessionRow[] {
		const goesOn = ({ row }: Entry) => liveStatuses.has(row.status) || row.pending > 0
		return this.#order
			.filter(goesOn)
			.slice(0, maxWatched)
			.map(({ row }) => row)
	}

	/** Of how many sessions, that this device has read, the server shows nothing. */
	get withheld(): number {
		return this.#withheld
	}

	get(id: string): SessionSummary | null {
		return this.#entries.get(id)?.summary ?? null
	}

	/** Reads the newest page again, and those that go on, however old. */
	async refresh(): Promise<void> {
		const { gateway, seen } = this.#account
		const rows = await gateway.listSessions({ limit: listPage })
		const full = rows.length === listPage
		const running = full
			? await gateway.listSessions({ limit: listPage, status: [...liveStatuses] })
			: []
		const shown = new Set(rows.map(({ id }) => id))
		const lacking = [...seen.all().keys()].filter((id) => !shown.has(id))
		this.#withheld = full ? 0 : lacking.length
		// Where nothing of it was known, what lies between it and what is known has to be read too.
		const reaches = rows.some(({ id }) => this.#entries.has(id))
		if (!this.#reached || !reaches) {
			this.#reached = rows.at(-1) ?? null
			this.#list({ more: full })
		}
		await this.#take([...rows, ...running.filter(({ id }) => !shown.has(id))])
	}

	/** Reads the page after the oldest one read. `false` when there is none. */
	more(): Promise<boolean> {
		this.#loading ??= this.#more().finally(() => {
			this.#loading = null
			this.#list({ loading: false })
		})
		return this.#loading
	}

	async #more(): Promise<boolean> {
		const from = this.#reached
		if (!this.listing.get().more || !from) return false
		this.#list({ loading: true })
		const place = { before: from.last_activity_at, beforeId: from.id }
		const rows = await this.#account.gateway.listSessions({ limit: listPage, ...place })
		const last = rows.at(-1)
		for (let at = 0; at < rows.length; at += atOnce) {
			await this.#take(rows.slice(at, at + atOnce))
			await new Promise((resolve) => setImmediate(resolve))
		}
		this.#reached = last ?? from
		// A server that goes round in circles is not followed.
		const older = last !== undefined && last.last_activity_at <= from.last_activity_at
		this.#list({ more: older && last.id !== from.id && rows.length === listPage })
		return rows.length > 0
	}

	#list(change: Partial<Listing>): void {
		if (this.#closed) return
		const before = this.listing.get()
		const after = { ...before, ...change }
		if (after.more !== before.more || after.loading !== before.loading) this.listing.set(after)
	}

	/** Reads one session again, after a hint. */
	async refreshOne(id: string): Promise<void> {
		const row = await this.#account.gateway.readSession(id)
		if (row) await this.#take([row])
	}

	/** Reads those of these sessions that are not listed: one that waits is never left out. */
	async include(ids: Iterable<string>): Promise<void> {
		const lacking = [...new Set(ids)].filter((id) => !this.#entries.has(id))
		const rows = await Promise.all(lacking.map((id) => this.#account.gateway.readSession(id)))
		await this.#take(rows.filter((row) => row !== null))
	}

	/** Names of devices, or who is trusted, have changed: every row may look different now. */
	lookAgain(): void {
		for (const id of this.#entries.keys()) this.#again.add(id)
		this.#lookNext()
	}

	async #take(rows: readonly SessionRow[]): Promise<void> {
		if (rows.length === 0) return
		await loadHosts(this.#account, rows)
		if (this.#closed) return
		for (const { id, status } of rows) {
			if (liveStatuses.has(status)) this.#running.add(id)
			else this.#running.delete(id)
		}
		this.#put(rows)
		this.#watch()
	}

	/** Takes rows, known before or not, and tells when that changes what is shown. */
	#put(rows: Iterable<SessionRow>): void {
		const changed = new Map<string, Entry>()
		for (const row of rows) {
			const known = this.#entries.get(row.id)
			const summary = this.#summarise(row)
			// All that is shown of it is the same: so is the object, for what is remembered of it.
			const same = known && JSON.stringify(known.summary) === JSON.stringify(summary)
			const entry = {
				row,
				summary: same ? known.summary : summary,
				at: Date.parse(row.last_activity_at),
			}
			if (same && known.at === entry.at) known.row = row
			else {
				this.#entries.set(row.id, entry)
				changed.set(row.id, entry)
			}
		}
		if (changed.size === 0) return
		this.#order = merged(
			this.#order.filter(({ row }) => !changed.has(row.id)),
			[...changed.values()].sort(newestFirst),
		)
		this.sessions.set(this.#order.map(({ summary }) => summary))
	}

	#summarise(row: SessionRow): SessionSummary {
		const watch = this.#watches.get(row.id)
		const silent = watch !== undefined && this.#isSilent(watch)
		return summarise(this.#account, row, silent, lastingProblems(this.#account, row))
	}

	#isSilent({ lastSign }: Watch): boolean {
		return this.#now().getTime() - lastSign > staleAfter
	}

	/** Once a silence: where the backend is out of reach, all is read again when it is back. */
	async #askAbout(id: string): Promise<void> {
		try {
			await this.refreshOne(id)
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
		}
	}

	/** Listens to the sessions that are said to run, newest first. */
	#watch(): void {
		const running = [...this.#running].flatMap((id) => this.#entries.get(id) ?? [])
		const wanted = new Set(
			running
				.sort(newestFirst)
				.slice(0, maxWatched)
				.map(({ row }) => row.id),
		)
		for (const [id, watch] of this.#watches) {
			if (wanted.has(id)) continue
			watch.stop()
			this.#watches.delete(id)
			// It is not silent any more, whatever else it is.
			this.#again.add(id)
		}
		for (const id of wanted) {
			if (this.#watches.has(id)) continue
			const watch: Watch = { stop: () => undefined, lastSign: this.#now().getTime(), asked: false }
			const alive = () => {
				watch.lastSign = this.#now().getTime()
				watch.asked = false
			}
			this.#watches.set(id, watch)
			watch.stop = this.#feeds.listen(id, {
				// Only what the host has signed just now: a server can send all else by itself.
				heartbeat: alive,
				rows: (_from, _to, rows) => {
					if (rows) this.#pushed(id, rows)
				},
			})
		}
		this.#lookNext()
	}

	/** Who has fallen silent, or is back; and whether what could not be read can be by now. */
	#check(): void {
		for (const [id, watch] of this.#watches) {
			this.#again.add(id)
			if (watch.asked || !this.#isSilent(watch)) continue
			watch.asked = true
			void this.#askAbout(id)
		}
		for (const { row, summary } of this.#order) {
			if (summary.problem !== null || (summary.title === null && row.label)) this.#again.add(row.id)
		}
		this.#lookNext()
	}

	#lookNext(): void {
		if (this.#lookingAgain || this.#again.size === 0 || this.#closed) return
		this.#lookingAgain = setImmediate(() => {
			this.#lookingAgain = null
			const ids = [...this.#again].slice(0, atOnce)
			for (const id of ids) this.#again.delete(id)
			this.#put(ids.flatMap((id) => this.#entries.get(id)?.row ?? []))
			this.#lookNext()
		})
	}

	[Symbol.dispose](): void {
		this.#closed = true
		clearInterval(this.#timer)
		if (this.#lookingAgain) clearImmediate(this.#lookingAgain)
		for (const watch of this.#watches.values()) watch.stop()
	}
}

/** Two lists, the newest first, as one. */
function merged(most: readonly Entry[], few: readonly Entry[]): Entry[] {
	const all: Entry[] = []
	let next = 0
	for (const entry of most) {
		for (let one = few[next]; one && newestFirst(one, entry) < 0; one = few[next]) {
			all.push(one)
			next++
		}
		all.push(entry)
	}
	return [...all, ...few.slice(next)]
}
