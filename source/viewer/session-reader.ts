/** Reads a session's stored messages in windows, and checks them (docs/protocol.md, section 5.4). */
import type { Account } from '../account/account.ts'
import type { ScopeKeys } from '../account/key-ring.ts'
import type { Gateway, MessageRow, SessionRow } from '../backend/gateway.ts'
import { isActive, passesThrough } from '../protocol/device-log.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import type { LogHead } from '../protocol/json.ts'
import type { ChainState } from '../protocol/message.ts'
import { sessionScope } from '../protocol/scope.ts'
import {
	assemble,
	type CheckedMessage,
	checkRows,
	problemMessage,
	type Row,
	type RowWindow,
} from './checked-message.ts'

/** Rows asked for at once. */
export const pageSize = 500
/** ms */
const keysInterval = 2000

/** The order of an answer means nothing. */
const bySeq = (a: MessageRow, b: MessageRow) => a.seq - b.seq

/** What checked rows prove to exist: the last message, and entries of the device log. */
export interface Proved {
	last: number | null
	heads: LogHead[]
}

/** Each head once: thousands of messages name the same one. */
export function provedBy(rows: readonly Row[]): Proved {
	const heads = new Map<string, LogHead>()
	let last: number | null = null
	for (const row of rows) {
		if (!row.ok) continue
		last = row.seq
		const head = row.message.frame.log
		if (head) heads.set(`${head.seq} ${head.hash}`, head)
	}
	return { last, heads: [...heads.values()] }
}

export class SessionReader {
	readonly session: string
	readonly #account: Account
	readonly #gateway: Gateway
	#keysAsked = Number.NEGATIVE_INFINITY
	readonly #seen: ((rows: readonly MessageRow[]) => void) | undefined

	/** `seen` is shown the rows as they came, before any check. */
	constructor(account: Account, session: string, seen?: (rows: readonly MessageRow[]) => void) {
		this.#account = account
		this.#seen = seen
		this.#gateway = account.gateway
		this.session = session
	}

	/**
	 * The last message that should be there: as the server says, as was proved to this device before, or as
	 * the host has signed where its newest key begins.
	 */
	through(row: Pick<SessionRow, 'last_seq'> | null): number {
		const keys = this.#account.keys.known(sessionScope(this.session))
		const from = keys?.records.get(keys.newest)?.from ?? 1
		return Math.max(row?.last_seq ?? 0, this.#account.seen.last(this.session), from - 1)
	}

	/**
	 * Rows after their checks (`checkRows`). The last that holds is proved to exist, and so are the entries
	 * of the device log that they name: a log that lacks one has a problem from then on.
	 */
	async check(
		rows: readonly MessageRow[],
		keys: ScopeKeys,
		window: Omit<Parameters<typeof checkRows>[2], 'session'>,
	): Promise<RowWindow> {
		const checked = checkRows(rows, keys, { session: this.session, ...window })
		await this.noteProved(keys.by, provedBy(checked.rows))
		return checked
	}

	/** Remembers what rows have proved that were checked: elsewhere, or by `check`. */
	async noteProved(host: string | null, { last, heads }: Proved): Promise<void> {
		const { log, seen } = this.#account
		if (last !== null) seen.saw(this.session, last)
		for (const head of heads) {
			if (passesThrough(log.state, head)) continue
			if (host === null || !isActive(log.state, host)) return
			try {
				await log.reach(head, host)
			} catch (error) {
				// It is the log's problem: the message holds.
				if (!(error instanceof StyrbyError) || error.exitCode !== exit.refused) throw error
			}
		}
	}

	/** This session's keys, asked for again when a row has an epoch that is not known. */
	async keys(epoch = 0): Promise<ScopeKeys> {
		const scope = sessionScope(this.session)
		const keys = await this.#account.keys.load(scope)
		return keys.newest >= epoch ? keys : this.#account.keys.load(scope, { again: true })
	}

	/** The keys that came after these, if any did: at most asked for once every two seconds. */
	async newKeys(keys: ScopeKeys): Promise<ScopeKeys> {
		const scope = sessionScope(this.session)
		const known = await this.#account.keys.load(scope)
		const now = performance.now()
		if (known.newest > keys.newest || now - this.#keysAsked < keysInterval) return known
		this.#keysAsked = now
		return this.#account.keys.load(scope, { again: true })
	}

	/**
	 * The rows after number `after`, at most a page. `through`: the last number that should exist, where it
	 * is known: what lacks up to there is marked. `missing` counts rows the server has none of; `more`: it
	 * shows rows beyond `last`.
	 */
	async after(
		after: number,
		options: { before?: ChainState | null; through?: number; limit?: number } = {},
	): Promise<{
		rows: Row[]
		end: ChainState | null
		last: number
		missing: number
		more: boolean
	}> {
		const page = await this.fetchAfter(after, options)
		const { window, last, missing, more } = page
		if (!window) return { rows: [], end: null, last, missing, more }
		const keys = await this.keysOf(page.rows)
		const { before = null } = options
		return { ...(await this.check(page.rows, keys, { ...window, before })), last, missing, more }
	}

	/** The keys that these rows, or all rows before, are sealed with. */
	keysOf(rows: readonly MessageRow[]): Promise<ScopeKeys> {
		return this.keys(rows.reduce((most, row) => Math.max(most, row.epoch), 0))
	}

	/**
	 * The rows of `after` as they came, before any check. `window`: the numbers that they should be; `null`
	 * where all up to `last` is missing.
	 */
	async fetchAfter(
		after: number,
		options: { through?: number; limit?: number } = {},
	): Promise<{
		rows: MessageRow[]
		window: { from: number; to: number } | null
		last: number
		missing: number
		more: boolean
	}> {
		const limit = options.limit ?? pageSize
		const found = await this.#gateway.readMessages(this.session, { after, limit })
		const rows = found.filter((row) => row.seq > after).sort(bySeq)
		this.#seen?.(rows)
		const first = rows.reduce((least, row) => Math.min(least, row.seq), Number.POSITIVE_INFINITY)
		const through = options.through ?? after
		if (first > after + limit) {
			// Nothing in reach: one mark for the whole gap, however large the server says it is.
			const last = Number.isFinite(first) ? first - 1 : Math.max(through, after)
			const more = Number.isFinite(first)
			return { rows: [], window: null, last, missing: last - after, more }
		}
		// A row far off, which may be a stray, does not make everything up to it missing in this page.
		const near = rows.filter((row) => row.seq <= after + limit)
		const newest = near.reduce((most, row) => Math.max(most, row.seq), after)
		const to = Math.min(Math.max(newest, through), after + limit)
		const window = { from: after + 1, to }
		return { rows: near, window, last: to, missing: 0, more: near.length < rows.length }
	}

	/** The last `limit` rows before number `before`. */
	async before(before: number, limit = pageSize): Promise<{ rows: Row[]; end: ChainState | null }> {
		const from = Math.max(1, before - limit)
		if (before <= 1) return { rows: [], end: null }
		const rows = (await this.#gateway.readMessages(this.session, { before, limit })).sort(bySeq)
		const keys = await this.keysOf(rows)
		return this.check(rows, keys, { from, to: before - 1 })
	}

	/** Every message from `after` on, in order, up to number `through` at least. Memory: one page. */
	async *all(after: number, through: number): AsyncGenerator<CheckedMessage> {
		let position = after
		let end: ChainState | null = null
		let carried: Row[] = []
		for (;;) {
			const page = await this.after(position, { before: end, through })
			if (page.missing > 0) {
				yield* this.unfinished(carried)
				carried = []
				yield this.withheld(position + 1, page.missing)
			}
			const { messages, openEnd } = assemble(
				this.session,
				[...carried, ...page.rows],
				position === 0 || position > after,
			)
			yield* messages
			carried =
				openEnd === null ? [] : [...carried, ...page.rows].filter((row) => row.seq >= openEnd)
			const grew = page.last > position
			position = page.last
			end = page.end
			const whole = position >= through && page.rows.length + page.missing < pageSize
			if (!grew || (whole && !page.more)) break
		}
		yield* this.unfinished(carried)
	}

	/** The mark of parts whose rest will not come; none of no parts. */
	unfinished(parts: readonly Row[]): CheckedMessage[] {
		const [first] = parts
		if (!first) return []
		const problem = 'the rest of this message has not come'
		const place = [this.session, first.seq, parts.length, first.at] as const
		return [problemMessage(...place, 'malformed_parts', problem)]
	}

	/** The one message that starts at `seq`, or the mark of what is wrong with it. */
	async at(seq: number): Promise<CheckedMessage> {
		let limit = 1
		for (;;) {
			const { rows } = await this.after(seq - 1, { through: seq, limit })
			const { messages, openEnd } = assemble(this.session, rows)
			const [message] = messages
			if (message) return message
			const first = rows[0]
			const of = openEnd !== null && first?.ok ? (first.message.frame.of ?? 1) : 1
			if (of <= limit) return this.withheld(seq, 1)
			limit = Math.min(of, pageSize)
		}
	}

	withheld(seq: number, count: number): CheckedMessage {
		const problem =
			count === 1
				? 'withheld or deleted on the server'
				: `${count} messages are withheld or deleted on the server`
		return problemMessage(this.session, seq, count, null, 'message_missing', problem)
	}
}
