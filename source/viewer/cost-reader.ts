/** Reads what sessions cost from the messages that say so: each is verified and decrypted by itself. */
import { setImmediate as breathe } from 'node:timers/promises'
import type { Account } from '../account/account.ts'
import { malformedAnswer } from '../backend/failure.ts'
import type { MessageRow, SpendingPlace } from '../backend/gateway.ts'
import type { Body } from '../protocol/events.ts'
import { sessionScope } from '../protocol/scope.ts'
import { CostTable, dayOf, sumOf } from './cost-table.ts'
import { SessionNames } from './session-names.ts'
import { SessionReader } from './session-reader.ts'

/** Messages of one answer. */
const pageSize = 500
/** Messages checked in one go: some ms of work, so that keys are taken between. */
const chunk = 20

/**
 * Goes from the newest message to the oldest. Each is proved by its host's signature, its time and its
 * counts are those that were sealed. What a server leaves out does not show here: `verify` finds that.
 */
export class CostReader {
	readonly table = new CostTable()
	rows = 0
	/** Time of the last message that was read, ISO 8601; `null` before the first. */
	reached: string | null = null
	problems = 0
	/** What is wrong with the first that does not verify. */
	problem: string | null = null
	readonly #account: Account
	readonly #since: number
	readonly #names: SessionNames
	/** Sessions and models of which a cost was read that is not of one response alone. */
	readonly #totals = new Set<string>()
	readonly #readers = new Map<string, SessionReader>()
	#place: SpendingPlace | null = null

	/** `since`: what is older is not counted, ms since the epoch. */
	constructor(account: Account, since = Number.NEGATIVE_INFINITY) {
		this.#account = account
		this.#since = since
		this.#names = new SessionNames(account)
	}

	/** Reads one page more. `false`: it was the last one. Throws what the gateway does. */
	async page(): Promise<boolean> {
		const before = this.#place
		const { rows, more } = await this.#account.gateway.readSpending({ before, limit: pageSize })
		const last = rows.at(-1)
		if (!last) return false
		this.#assertOrder(rows)
		const wanted = rows.filter(({ created_at }) => Date.parse(created_at) >= this.#since)
		const sessions = new Set(wanted.map(({ session_id }) => session_id))
		await this.#names.learn(sessions, Date.parse(last.created_at))
		for (const [index, row] of wanted.entries()) {
			if (index % chunk === chunk - 1) await breathe()
			await this.#count(row)
		}
		this.#place = placeOf(last)
		this.rows += wanted.length
		this.reached = last.created_at
		return more && Date.parse(last.created_at) >= this.#since
	}

	/** Strictly backwards: none is shown twice, and it comes to an end. */
	#assertOrder(rows: readonly MessageRow[]): void {
		let before = this.#place
		for (const row of rows) {
			if (before && !isBefore(placeOf(row), before)) throw malformedAnswer('read_spending')
			before = placeOf(row)
		}
	}

	async #count(row: MessageRow): Promise<void> {
		const { session_id: session, seq } = row
		const known = this.#readers.get(session)
		const reader = known ?? new SessionReader(this.#account, session)
		if (!known) this.#readers.set(session, reader)
		const scope = sessionScope(session)
		const first = this.#account.keys.known(scope) ?? (await reader.keys())
		const keys = row.epoch > first.newest ? await reader.newKeys(first) : first
		const checked = await reader.check([row], keys, { from: seq, to: seq })
		const one = checked.rows.find((each) => each.seq === seq)
		// Which messages say what was spent, the server tells: it may show any other here.
		if (!one?.ok || one.message.frame.kind !== 'usage') {
			this.problems++
			this.problem ??= (one?.ok ? null : one?.problem) ?? 'it can not be read'
			return
		}
		const { frame } = one.message
		// `kind` and `body` were checked together when the message was opened.
		const usage = frame.body as Body<'usage'>
		const { agent = '?', project = null } = this.#names.get(session) ?? {}
		const day = dayOf(Date.parse(frame.at))
		const total = `${session} ${usage.model}`
		const sum = sumOf(usage, this.#totals.has(total))
		if (usage.message === null && usage.cost_usd !== null) this.#totals.add(total)
		this.table.add({ day, agent, project, model: usage.model }, sum)
	}
}

function placeOf({ created_at, session_id, seq }: MessageRow): SpendingPlace {
	return { at: created_at, session: session_id, seq }
}

/** Times have six digits at most, which a number in ms does not hold. */
function isBefore(a: SpendingPlace, b: SpendingPlace): boolean {
	const [one, other] = [micros(a.at), micros(b.at)]
	if (one !== other) return one < other
	return a.session === b.session ? a.seq < b.seq : a.session < b.session
}

function micros(at: string): number {
	const digits = /\.(\d+)/.exec(at)?.[1] ?? ''
	return Math.floor(Date.parse(at) / 1000) * 1e6 + Number(digits.slice(0, 6).padEnd(6, '0'))
}
