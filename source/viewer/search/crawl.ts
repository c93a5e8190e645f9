/** Brings the index up to date: which sessions have grown, and their rows, a little at a time. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Account } from '../../account/account.ts'
import { listedSessions } from '../../account/listed-sessions.ts'
import type { MessageRow, SessionRow } from '../../backend/gateway.ts'
import { sessionScope } from '../../protocol/scope.ts'
import type { SearchedSession } from '../../search/session-filter.ts'
import { SessionReader } from '../session-reader.ts'
import { loadHosts, summarise } from '../session-summary.ts'
import type { Added, Engine } from './engine-types.ts'
import { plainKeys } from './plain-keys.ts'
import type { Gap } from './position.ts'

/** Rows read at once at first, and at most. */
const rowsAtOnce = { first: 50, most: 200 }
/** Bytes of ciphertext read at once, about: what is read of them does not keep keys waiting. */
const bytesAtOnce = 262_144

/** Steps after which it is written to the disk how far a session was proved to go; and at its end. */
const stepsBetweenNotes = 20
/** Sessions whose keys are checked at once: a signature takes some ms. */
const keysAtOnce = 8

export interface CrawlOptions {
	account: Account
	engine: Pick<Engine, 'describe' | 'add'>
	/** How far each session is in the index. */
	positions: Map<string, { last: number; gaps: Gap[] }>
	/** Sessions that were described to the engine before. */
	described: readonly SearchedSession[]
	signal: AbortSignal
	/** Told after each step. */
	added(added: Added): void
}

export class Crawl {
	readonly #options: CrawlOptions
	readonly #account: Account
	/** What was said of sessions. */
	readonly #said = new Map<string, SearchedSession>()
	#limit = rowsAtOnce.first
	#steps = 0

	constructor(options: CrawlOptions) {
		this.#options = options
		this.#account = options.account
		for (const session of options.described) this.#said.set(session.id, session)
	}

	/** All sessions page by page, newest activity first, each told to the engine. */
	async *sessions(): AsyncGenerator<SessionRow[]> {
		const { signal } = this.#options
		signal.throwIfAborted()
		for await (const rows of listedSessions(this.#account.gateway)) {
			await this.describe(rows)
			yield rows
			signal.throwIfAborted()
		}
	}

	async describe(rows: readonly SessionRow[]): Promise<void> {
		// Who hosts a session is known from its keys; of one that was described before it is known already.
		const lacking = rows.filter(
			(row) =>
				!this.#account.keys.known(sessionScope(row.id)) &&
				(!this.#said.has(row.id) || this.hasGrown(row)),
		)
		for (let at = 0; at < lacking.length; at += keysAtOnce) {
			await loadHosts(this.#account, lacking.slice(at, at + keysAtOnce))
			await turn()
		}
		const summaries = rows.map((row) => summarise(this.#account, row, false, []))
		await this.say(
			summaries.map((summary) => {
				const before = this.#said.get(summary.id)
				return summary.host.name === null && before ? { ...summary, host: before.host } : summary
			}),
		)
	}

	/** Tells the engine of sessions what it does not know. */
	async say(sessions: readonly SearchedSession[]): Promise<void> {
		const news = sessions.filter((session) => {
			const before = this.#said.get(session.id)
			if (before === session) return false
			this.#said.set(session.id, session)
			return before === undefined || shortly(before) !== shortly(session)
		})
		if (news.length > 0) await this.#options.engine.describe(news)
	}

	/** Whether a session has rows that were not looked at. */
	hasGrown({ id, last_seq }: Pick<SessionRow, 'id' | 'last_seq'>): boolean {
		return last_seq > (this.#options.positions.get(id)?.last ?? 0)
	}

	/** Reads what lacks of a session. */
	async read(session: Pick<SessionRow, 'id' | 'last_seq'>): Promise<void> {
		const { positions } = this.#options
		const reader = new SessionReader(this.#account, session.id)
		const through = Math.max(session.last_seq, this.#account.seen.last(session.id))
		for (;;) {
			const before = positions.get(session.id) ?? { last: 0, gaps: [] }
			if (before.last >= through) return
			const { last } = await this.#step(reader, before.last, { through, limit: this.#limit })
			positions.set(session.id, { ...before, last })
			if (last <= before.last) return
			await turn()
		}
	}

	/** Looks again at what did not verify: a key may have come since. */
	async readGaps(session: string): Promise<void> {
		const position = this.#options.positions.get(session)
		if (!position || position.gaps.length === 0) return
		const reader = new SessionReader(this.#account, session)
		for (const [from, to] of position.gaps) {
			for (let at = from; at <= to; ) {
				const through = Math.min(to, at + rowsAtOnce.most - 1)
				const limit = through - at + 1
				await this.#step(reader, at - 1, { through, limit, again: true })
				at = through + 1
				await turn()
			}
		}
		this.#options.positions.set(session, { ...position, gaps: [] })
	}

	async #step(
		reader: SessionReader,
		after: number,
		{ again = false, ...range }: { through: number; limit: number; again?: boolean },
	): Promise<Added> {
		const { signal, engine, added: told } = this.#options
		signal.throwIfAborted()
		const page = await reader.fetchAfter(after, range)
		if (!again) this.#adapt(page.rows)
		const keys = await reader.keysOf(page.rows)
		const { rows, window, last } = page
		const batch = {
			session: reader.session,
			rows,
			window,
			last,
			keys: plainKeys(keys, rows),
			again,
		}
		const added = await engine.add(batch)
		const { last: proved, heads } = added.proved
		const write = added.last >= range.through || ++this.#steps % stepsBetweenNotes === 0
		await reader.noteProved(keys.by, { last: write ? proved : null, heads })
		told(added)
		return added
	}

	/** As many rows at once as are of the right size together. */
	#adapt(rows: readonly MessageRow[]): void {
		const bytes = rows.reduce((sum, { ciphertext }) => sum + ciphertext.length, 0)
		if (rows.length === 0 || bytes === 0) return
		const fitting = Math.floor((bytesAtOnce * rows.length) / bytes)
		this.#limit = Math.max(5, Math.min(rowsAtOnce.most, fitting, this.#limit * 2))
	}
}

const shortly = ({ agent, status, project, title, host, pending, stale }: SearchedSession) =>
	JSON.stringify([agent, status, project, title, host.id, host.name, pending, stale])
