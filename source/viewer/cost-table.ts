/** Adding up what was spent. Pure. */
import type { Body } from '../protocol/events.ts'
import type { Spent, Sum } from './cost.ts'

export const dimensions = ['day', 'agent', 'project', 'model'] as const
export type Dimension = (typeof dimensions)[number]

export interface Group extends Sum {
	/** What its members have in common: one value for each dimension that was grouped by. */
	values: readonly (string | null)[]
}

export const nothingSpent: Sum = {
	responses: 0,
	tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
	costUsd: 0,
	unpriced: 0,
}

const two = (value: number) => String(value).padStart(2, '0')

/** `2026-01-31` of a time in ms, in this machine's time zone. */
export function dayOf(ms: number): string {
	const at = new Date(ms)
	return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** The first moment of the day that is so many days before a time's, ms since the epoch. */
export function dayStart(ms: number, daysBefore = 0): number {
	const at = new Date(ms)
	return new Date(at.getFullYear(), at.getMonth(), at.getDate() - daysBefore).getTime()
}

/**
 * One message of use. Without tokens it is no response of its own: it says what those before it cost.
 * `follows`: a cost without tokens of its own came after it, which is that of this one too.
 */
export function sumOf(usage: Body<'usage'>, follows: boolean): Sum {
	const { input, output, cache_read, cache_write, cost_usd } = usage
	const tokens = { input, output, cache_read, cache_write }
	const responses = input + output + cache_read + cache_write > 0 ? 1 : 0
	const unpriced = cost_usd === null && !follows ? responses : 0
	return { responses, tokens, costUsd: cost_usd ?? 0, unpriced }
}

export function added(a: Sum, b: Sum): Sum {
	return {
		responses: a.responses + b.responses,
		tokens: {
			input: a.tokens.input + b.tokens.input,
			output: a.tokens.output + b.tokens.output,
			cache_read: a.tokens.cache_read + b.tokens.cache_read,
			cache_write: a.tokens.cache_write + b.tokens.cache_write,
		},
		costUsd: a.costUsd + b.costUsd,
		unpriced: a.unpriced + b.unpriced,
	}
}

export function total(sums: readonly Sum[]): Sum {
	return sums.reduce(added, nothingSpent)
}

export function allTokens({ tokens }: Sum): number {
	return tokens.input + tokens.output + tokens.cache_read + tokens.cache_write
}

/** What was spent, by day, agent, project and model: it grows with these, not with the responses. */
export class CostTable {
	readonly #spent = new Map<string, Spent>()

	add(where: Pick<Spent, Dimension>, sum: Sum): void {
		const { day, agent, project, model } = where
		const key = JSON.stringify([day, agent, project, model])
		const known = this.#spent.get(key)
		this.#spent.set(key, { day, agent, project, model, ...(known ? added(known, sum) : sum) })
	}

	get spent(): readonly Spent[] {
		return [...this.#spent.values()]
	}
}

/** Days newest first; all else the dearest first, and by tokens where nothing has a price. */
export function grouped(spent: readonly Spent[], by: readonly Dimension[]): Group[] {
	const groups = new Map<string, Group>()
	for (const one of spent) {
		const values = by.map((dimension) => one[dimension])
		const key = JSON.stringify(values)
		groups.set(key, { values, ...added(groups.get(key) ?? nothingSpent, one) })
	}
	const days = by.indexOf('day')
	return [...groups.values()].sort((a, b) => {
		const [dayA, dayB] = days < 0 ? ['', ''] : [a.values[days] ?? '', b.values[days] ?? '']
		if (dayA !== dayB) return dayA < dayB ? 1 : -1
		return b.costUsd - a.costUsd || allTokens(b) - allTokens(a) || compare(a, b)
	})
}

/** What costs the same stands in the same order each time. */
function compare(a: Group, b: Group): number {
	const [one, other] = [JSON.stringify(a.values), JSON.stringify(b.values)]
	return one < other ? -1 : one > other ? 1 : 0
}
