/** Brings the index up to date: which sessions have grown, and their rows, a little at a time. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Account } from '../../account/account.ts'
import { assertCountable } from '../../account/sharing.ts'
import type { SessionRow } from '../../backend/gateway.ts'
import { sessionScope } from '../../protocol/scope.ts'
import type { SearchedSession } from '../../search/session-filter.ts'
import { listPage } from '../session-list.ts'
import { SessionReader } from '../session-reader.ts'
import { loadHosts, summarise } from '../session-summary.ts'
import { type Added, type Batch, plainKeys } from './engine.ts'

/** What the crawl feeds. */
export interface Sink {
	describe(sessions: readonly SearchedSession[]): void | Promise<void>
	add(batch: Batch): Added | Promise<Added>
}

/** Rows read at once: few enough that what is read of them does not keep keys waiting. */
const rowsAtOnce = 100

export class Crawl {
	readonly #account: Account
	readonly #sink: Sink
	readonly #positions: Map<string, number>
	readonly #signal: AbortSignal
	readonly #added: (added: Added) => void

	constructor(options: {
		account: Account
		sink: Sink
		positions: Map<string, number>
		signal: AbortSignal
		/** Told after each step. */
		added: (added: Added) => void
	}) {
		this.#account = options.account
		this.#sink = options.sink
		this.#positions = options.positions
		this.#signal = options.signal
		this.#added = options.added
	}

	/** Page by page, newest activity first. A server that repeats itself is not followed. */
	async *sessions(): AsyncGenerator<SessionRow[]> {
		const shown = new Set<string>()
		let place: { before?: string; beforeId?: string } = {}
		for (;;) {
			this.#signal.throwIfAborted()
			const page = await this.#account.gateway.listSessions({ limit: listPage, ...place })
			const rows = page.filter(({ id }) => !shown.has(id))
			if (rows.length === 0) return
			for (const { id } of rows) shown.add(id)
			assertCountable(shown.size)
			await this.describe(rows)
			yield rows
			const last = page.at(-1)
			if (!last || page.length < listPage) return
			place = { before: last.last_activity_at, beforeId: last.id }
		}
	}

	async describe(rows: readonly SessionRow[]): Promise<void> {
		const lacking = rows.filter(({ id }) => !this.#account.keys.known(sessionScope(id)))
		await loadHosts(this.#account, lacking)
		await this.#sink.describe(rows.map((row) => summarise(this.#account, row, false, [])))
	}

	/** Whether a session has rows that were not looked at. */
	hasGrown({ id, last_seq }: Pick<SessionRow, 'id' | 'last_seq'>): boolean {
		return last_seq > (this.#positions.get(id) ?? 0)
	}

	/** Reads what lacks of a session. */
	async read(session: Pick<SessionRow, 'id' | 'last_seq'>): Promise<void> {
		const reader = new SessionReader(this.#account, session.id)
		const through = Math.max(session.last_seq, this.#account.seen.last(session.id))
		for (;;) {
			this.#signal.throwIfAborted()
			const position = this.#positions.get(session.id) ?? 0
			if (position >= through) return
			const page = await reader.fetchAfter(position, { through, limit: rowsAtOnce })
			const keys = await reader.keysOf(page.rows)
			const added = await this.#sink.add({
				session: session.id,
				rows: page.rows,
				window: page.window,
				last: page.last,
				keys: plainKeys(keys, page.rows),
			})
			this.#positions.set(session.id, added.position)
			await reader.noteProved(keys.by, added.proved)
			this.#added(added)
			if (added.position <= position) return
			await turn()
		}
	}
}
