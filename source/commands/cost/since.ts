import { dayStart } from '../../viewer/cost-table.ts'
import { sinceTime } from '../sessions.ts'

/**
 * Where `cost` begins, ms since the epoch. Whole days of this machine's time zone: `7d` is today and the six
 * days before, `2026-01-31` that day's beginning; `2h` and full times are exact; `all`: `null`. Throws
 * `bad_value`.
 */
export function costSince(text: string, now: Date): number | null {
	if (text === 'all') return null
	const days = /^(\d{1,5})([dw])$/.exec(text)
	if (days) {
		const count = Number(days[1]) * (days[2] === 'w' ? 7 : 1)
		return dayStart(now.getTime(), Math.max(1, count) - 1)
	}
	const exact = sinceTime(text, now)
	const date = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
	if (!date) return exact
	const [year = 0, month = 1, day = 1] = date.slice(1).map(Number)
	return new Date(year, month - 1, day).getTime()
}
