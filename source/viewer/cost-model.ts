/** What the sessions cost, read when somebody looks at it, and as far back as they look. */
import type { Account } from '../account/account.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { Cost, Spent } from './cost.ts'
import { CostReader } from './cost-reader.ts'
import { Value } from './readable.ts'
import { unreadCost } from './unread.ts'

interface Reading {
	reader: CostReader
	/** How far back it is to go, ms since the epoch. */
	since: number
	complete: boolean
	running: boolean
	/** What was counted before, shown until this has come as far. */
	before: readonly Spent[] | null
}

export class CostModel implements Cost, Disposable {
	readonly state = new Value(unreadCost)
	readonly #account: Account
	readonly #crashed: (error: unknown) => void
	#reading: Reading | null = null

	/** `crashed` is told of what is no failure of the backend. */
	constructor({
		account,
		crashed,
	}: {
		account: Account
		crashed: (error: unknown) => void
	}) {
		this.#account = account
		this.#crashed = crashed
	}

	read(since: number | null): void {
		if (this.#reading) this.#goOn(this.#reading, since ?? Number.NEGATIVE_INFINITY)
		else this.readAgain(since)
	}

	readAgain(since: number | null): void {
		const { spent } = this.state.get()
		this.#reading = {
			reader: new CostReader(this.#account),
			since: Number.POSITIVE_INFINITY,
			complete: false,
			running: false,
			before: spent.length > 0 ? spent : null,
		}
		this.#goOn(this.#reading, since ?? Number.NEGATIVE_INFINITY)
	}

	#goOn(reading: Reading, since: number): void {
		reading.since = Math.min(reading.since, since)
		if (reading.running || isDone(reading)) return
		reading.running = true
		this.#run(reading).catch((error: unknown) => {
			if (reading !== this.#reading) return
			reading.running = false
			reading.before = null
			if (!(error instanceof StyrbyError)) this.#crashed(error)
			else this.#publish(reading, error.message)
		})
	}

	async #run(reading: Reading): Promise<void> {
		this.#publish(reading)
		while (!isDone(reading)) {
			reading.complete = !(await reading.reader.page())
			if (reading !== this.#reading) return
			this.#publish(reading)
		}
		reading.running = false
		reading.before = null
		this.#publish(reading)
	}

	#publish(reading: Reading, error: string | null = null): void {
		const { reader, complete, running, before } = reading
		this.state.set({
			spent: before ?? reader.table.spent,
			rows: reader.rows,
			reached: complete ? null : reader.reached,
			reading: running,
			problems: reader.problems,
			problem: reader.problem,
			error,
		})
	}

	[Symbol.dispose](): void {
		this.#reading = null
	}
}

function isDone({ reader, since, complete }: Reading): boolean {
	return complete || (reader.reached !== null && Date.parse(reader.reached) < since)
}
