/** How far back the cost is looked at, in days of this machine's time zone. */
import { dayStart } from './cost-table.ts'

export const costRanges = ['today', 'week', 'month', 'year', 'all'] as const
export type CostRange = (typeof costRanges)[number]

const days: Readonly<Record<Exclude<CostRange, 'all'>, number>> = {
	today: 1,
	week: 7,
	month: 30,
	year: 365,
}

/** Where it begins, ms since the epoch: so many days, today among them. `null`: with the first message. */
export function rangeStart(range: CostRange, now: number): number | null {
	return range === 'all' ? null : dayStart(now, days[range] - 1)
}
