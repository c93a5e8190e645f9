/** The list of sessions, kept up to date: rows from the backend, names opened, silence noticed. */
import type { Account } from '../account/account.ts'
import type { SessionRow } from '../backend/gateway.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import { staleAfter } from '../protocol/live.ts'
import { sessionScope } from '../protocol/scope.ts'
import { Value } from './readable.ts'
import { openedLabel, rowProblems } from './row-check.ts'
import type { FeedPool } from './session-feed.ts'
import type { SessionSummary } from './viewer.ts'

/** Sessions listed at once; older ones by `more`. */
export const listPage = 200
/** Live sessions whose heartbeats are listened to at most: each takes a channel. */
const maxWatched = 64
const liveStatuses = new Set(['starting', 'running', 'idle'])
const checkEvery = 5_000

/** Learns who hosts these sessions: whoever signed their first key, whatever the rows say. */
export async function loadHosts(account: Account, rows: readonly SessionRow[]): Promise<void> {
	const scopes = rows.map(({ id }) => sessionScope(id))
	await account.keys.loadAll(scopes.filter((scope) => !account.keys.known(scope)))
}

/**
 * A row as it is shown. Names that do not open are left out, and `problem` says why. The host is
 * the device that signed the session's first key; where that is not known, the server's word, unnamed.
 */
export function summarise(
	account: Account,
	row: SessionRow,
	stale: boolean,
	problems = rowProblems(account, row),
): SessionSummary {
	const opened = openedLabel(account, row)
	const label = opened instanceof StyrbyError ? null : opened
	const host = account.keys.known(sessionScope(row.id))?.by ?? null
	return {
		id: row.id,
		agent: row.agent,
		status: row.status,
		project: row.project ?? label?.project ?? null,
		title: label?.title ?? null,
		cwd: label?.cwd ?? null,
		host: { id: host ?? row.host, name: host === null ? null : account.deviceName(host) },
		startedAt: row.started_at,
		lastActivityAt: row.last_activity_at,
		endedAt: row.ended_at,
		messages: row.last_seq,
		pending: row.pending,
		tokens: row.tokens,
		costUsd: row.cost_usd,
		stale,
		problem: problems[0]?.problem ?? null,
	}
}

/**
 * Without what may be over in a moment: keys that are still on their way, and a row that is a little older
 * than what has come over the live channel.
 */
function lastingProblems(account: Account, row: SessionRow) {
	if (!account.keys.known(sessionScope(row.id))) return []
	return rowProblems(account, row).filter(({ code }) => code !== 'message_missing')
}

export function sessionsWithheld(count: number): StyrbyError {
	return refused(
		'session_withheld',
		`The server does not list ${count === 1 ? 'a session' : `${count} sessions`} that this device has read: it withholds or has lost what was there.`,
	)
}

interface Watch {
	stop(): void
	/** ms since the epoch of the last heartbeat, or of when the listening began. */
	lastSign: number
}

export class SessionList implements Disposable {
	readonly sessions = new Value<readonly SessionSummary[]>([])
	readonly #account: Account
	readonly #feeds: FeedPool
	readonly #now: () => Date
	readonly #rows = new Map<string, SessionRow>()
	readonly #watches = new Map<string, Watch>()
	readonly #timer: NodeJS.Timeout
	#closed = false
	#hasMore = false
	#withheld = 0

	constructor(account: Account, feeds: FeedPool, now: () => Date) {
		this.#account = account
		this.#feeds = feeds
		this.#now = now
		this.#timer = setInterval(() => this.#publish(), checkEvery).unref()
	}

	/** Rows of sessions that go on, or in which something waits, as the server says. */
	get live(): SessionRow[] {
		const goesOn = (row: SessionRow) => liveStatuses.has(row.status) || row.pending > 0
		return [...this.#rows.values()].filter(goesOn).slice(0, maxWatched)
	}

	/** Of how many sessions, that this device has read, the server shows nothing. */
	get withheld(): number {
		return this.#withheld
	}

	/** Reads the newest page again. */
	async refresh(): Promise<void> {
		const rows = await this.#account.gateway.listSessions({ limit: listPage })
		const shown = new Set(rows.map(({ id }) => id))
		const lacking = [...this.#account.seen.all().keys()].filter((id) => !shown.has(id))
		this.#withheld = rows.length < listPage ? lacking.length : 0
		this.#hasMore = rows.length === listPage || this.#hasMore
		await this.#take(rows)
	}

	/** Reads the page after the oldest row known. `false` when there is none. */
	async more(): Promise<boolean> {
		const oldest = this.sessions.get().at(-1)
		if (!this.#hasMore || !oldest) return false
		const place = { before: oldest.lastActivityAt, beforeId: oldest.id }
		const rows = await this.#account.gateway.listSessions({ limit: listPage, ...place })
		this.#hasMore = rows.length === listPage
		await this.#take(rows)
		return rows.length > 0
	}

	/** Reads one session again, after a hint. */
	async refreshOne(id: string): Promise<void> {
		const row = await this.#account.gateway.readSession(id)
		if (row) await this.#take([row])
	}

	async #take(rows: readonly SessionRow[]): Promise<void> {
		await loadHosts(this.#account, rows)
		if (this.#closed) return
		for (const row of rows) this.#rows.set(row.id, row)
		this.#watch()
		this.#publish()
	}

	/** Listens to the sessions that are said to run, newest first. */
	#watch(): void {
		const live = [...this.#rows.values()]
			.filter((row) => liveStatuses.has(row.status))
			.sort((a, b) => Date.parse(b.last_activity_at) - Date.parse(a.last_activity_at))
			.slice(0, maxWatched)
		const wanted = new Set(live.map((row) => row.id))
		for (const [id, watch] of this.#watches) {
			if (wanted.has(id)) continue
			watch.stop()
			this.#watches.delete(id)
		}
		for (const id of wanted) {
			if (this.#watches.has(id)) continue
			const watch: Watch = { stop: () => undefined, lastSign: this.#now().getTime() }
			const alive = () => {
				watch.lastSign = this.#now().getTime()
			}
			this.#watches.set(id, watch)
			watch.stop = this.#feeds.listen(id, {
				// Only what the host has signed just now: a server can send all else by itself.
				heartbeat: alive,
			})
		}
	}

	#publish(): void {
		if (this.#closed) return
		const now = this.#now().getTime()
		const summaries = [...this.#rows.values()].map((row) => {
			const watch = this.#watches.get(row.id)
			const silent = watch !== undefined && now - watch.lastSign > staleAfter
			return summarise(this.#account, row, silent, lastingProblems(this.#account, row))
		})
		summaries.sort((a, b) => Date.parse(b.lastActivityAt) - Date.parse(a.lastActivityAt))
		const same = JSON.stringify(summaries) === JSON.stringify(this.sessions.get())
		if (!same) this.sessions.set(summaries)
	}

	[Symbol.dispose](): void {
		this.#closed = true
		clearInterval(this.#timer)
		for (const watch of this.#watches.values()) watch.stop()
	}
}
