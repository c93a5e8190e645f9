/** What the sessions cost: what the cost screen and the command read. */
import type { Readable, Tokens } from './viewer.ts'

/** What was spent on one day, by one agent, on one project, with one model. */
export interface Spent extends Sum {
	/** `2026-01-31`, in this machine's time zone. */
	day: string
	agent: string
	/** `null`: off, or not readable. */
	project: string | null
	model: string | null
}

/** Totals of some responses of models. */
export interface Sum {
	responses: number
	tokens: Tokens
	costUsd: number
	/** Responses without a price: their tokens are counted, their cost is not known. */
	unpriced: number
}

export interface CostState {
	/** What was counted so far, in no order. The newest are read first. */
	spent: readonly Spent[]
	/** Messages that were read for it. */
	rows: number
	/** What is older than this was not looked at yet, ISO 8601 UTC; `null`: there is no more. */
	reached: string | null
	reading: boolean
	/** Messages that do not verify, which are not counted, and what is wrong with the first of them. */
	problems: number
	problem: string | null
	/** Why the reading stopped; what was counted before stays. */
	error: string | null
}

export interface Cost {
	readonly state: Readable<CostState>
	/** Reads everything since a time, ms since the epoch (`null`: all), but for what was read already. */
	read(since: number | null): void
	/** Reads it all again; what is known stays until that is done. */
	readAgain(since: number | null): void
}
