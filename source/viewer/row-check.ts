/** The server's row of a session, held against what its host has signed (docs/protocol.md, section 5.4). */
import type { Account } from '../account/account.ts'
import type { SessionRow } from '../backend/gateway.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import { sessionScope } from '../protocol/scope.ts'
import type { CheckedMessage } from './checked-message.ts'

export interface RowProblem {
	code: string
	problem: string
}

/**
 * What is wrong with a row, as far as that shows without reading its session: its host, its name, how far
 * it was proved to go. The keys of the session are to be known.
 */
export function rowProblems(account: Account, row: SessionRow): RowProblem[] {
	const problems: RowProblem[] = []
	const note = (code: string, problem: string) => problems.push({ code, problem })
	const keys = account.keys.known(sessionScope(row.id))
	const by = keys?.by ?? null
	if (by === null) {
		const failure = keys?.keyOf(0)
		const code = failure instanceof StyrbyError ? failure.code : 'host_unknown'
		note(code, 'its first key does not verify: who hosts it is not known')
	} else if (by !== row.host) {
		note('host_altered', 'the server names another host than the one that signed it')
	}
	const label = openedLabel(account, row)
	if (label instanceof StyrbyError) note(label.code, 'its name was changed on the server')
	else if (label && row.project !== null && row.project !== label.project) {
		note('project_altered', 'the server names another project than its host has sealed')
	}
	if (row.last_seq < account.seen.last(row.id)) {
		note('message_missing', 'the server shows less of it than this device has seen')
	}
	return problems
}

/** What the row's label says, or why it does not open; `null` where there is none. */
export function openedLabel(account: Account, { id, label }: SessionRow) {
	if (!label) return null
	try {
		return account.openLabel(`session:${id}`, label)
	} catch (error) {
		if (error instanceof StyrbyError) return error
		throw error
	}
}

const ends = new Set(['stopped', 'error'])

/** Adds up what the verified messages of a session say, for a row that is said to be of them. */
export class SessionTotals {
	readonly #spent = { input: 0, output: 0, cache_read: 0, cache_write: 0, cost: 0 }
	#lastAt = 0
	#status: string | null = null

	add({ kind, body, at }: CheckedMessage): void {
		this.#lastAt = Math.max(this.#lastAt, Date.parse(at))
		// `kind` and `body` were checked together when the message was opened.
		if (kind === 'status') this.#status = (body as Body<'status'>).status
		if (kind !== 'usage') return
		const usage = body as Body<'usage'>
		this.#spent.input += usage.input
		this.#spent.output += usage.output
		this.#spent.cache_read += usage.cache_read
		this.#spent.cache_write += usage.cache_write
		this.#spent.cost += usage.cost_usd ?? 0
	}

	/** Once all messages were added, and all of them held. What goes on changes while it is read. */
	problems(row: SessionRow): RowProblem[] {
		const problems: RowProblem[] = []
		const over = ends.has(row.status) || row.ended_at !== null
		// The host says in a message that it ends before the row says so.
		if (over && this.#status !== null && !ends.has(this.#status)) {
			const problem = 'the server says that it has ended, and withholds its end'
			problems.push({ code: 'message_missing', problem })
		}
		if (row.ended_at === null) return problems
		if (!this.#sameTotals(row)) {
			const problem = 'its token counts or cost in the list were changed on the server'
			problems.push({ code: 'totals_altered', problem })
		}
		const last = Math.max(this.#lastAt, Date.parse(row.started_at))
		if (this.#lastAt > 0 && Date.parse(row.last_activity_at) !== last) {
			const problem = 'its time in the list is not that of its last message'
			problems.push({ code: 'times_altered', problem })
		}
		return problems
	}

	#sameTotals({ tokens, cost_usd }: SessionRow): boolean {
		const spent = this.#spent
		return (
			tokens.input === spent.input &&
			tokens.output === spent.output &&
			tokens.cache_read === spent.cache_read &&
			tokens.cache_write === spent.cache_write &&
			Math.abs(cost_usd - spent.cost) < 1e-6 * (1 + spent.cost)
		)
	}
}

/**
 * The first thing that is wrong with a row, now that all its messages were read, the last of them number
 * `last`; `sound`: all of them held. A row that went on meanwhile is read again.
 */
export async function wrongRow(
	account: Account,
	row: SessionRow,
	read: { totals: SessionTotals; last: number; sound: boolean },
): Promise<RowProblem[]> {
	const { totals, last, sound } = read
	const behind = sound && last > row.last_seq
	const now = behind ? await account.gateway.readSession(row.id) : row
	const problems = rowProblems(account, now ?? row)
	if (behind && (now?.last_seq ?? 0) < last) {
		const problem = 'the server counts fewer messages than it has shown'
		problems.unshift({ code: 'count_altered', problem })
	} else if (sound && now?.last_seq === last) problems.unshift(...totals.problems(now))
	return problems
}
