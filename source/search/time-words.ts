/** Times as people write them in a query: `7d`, `yesterday`, `monday`, `2026-11`, `2026-11-01T10:30`. */

/** From (included) and to (not included), ms since the epoch. */
export interface Span {
	from: number
	to: number
}

const minute = 60_000
const units: Readonly<Record<string, number>> = {
	m: minute,
	min: minute,
	h: 60 * minute,
	d: 1440 * minute,
	w: 10_080 * minute,
}
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const date = /^(\d{4})-(\d{1,2})(?:-(\d{1,2})(?:[t ](\d{1,2}):(\d{2})(?::(\d{2}))?(z)?)?)?$/

/**
 * The day, month, minute or moment that a word names, in local time; a length of time names the moment so
 * long ago. `null`: it names none.
 */
export function timeOf(word: string, now: Date): Span | null {
	const text = word.toLowerCase()
	const ago = /^(\d{1,6})(min|mo|[mhdwy])$/.exec(text)
	if (ago) return moment(agoOf(Number(ago[1]), ago[2] ?? '', now))
	if (text === 'now') return moment(now.getTime())
	if (text === 'today') return day(now, 0)
	if (text === 'yesterday') return day(now, -1)
	const weekday = weekdays.findIndex((name) => name === text || name.slice(0, 3) === text)
	if (weekday >= 0) return day(now, -((now.getDay() - weekday + 7) % 7))
	const match = date.exec(text)
	return match ? dateOf(match) : null
}

const moment = (at: number): Span => ({ from: at, to: at })

function agoOf(count: number, unit: string, now: Date): number {
	const length = units[unit]
	if (length !== undefined) return now.getTime() - count * length
	const months = unit === 'y' ? 12 * count : count
	const there = new Date(now)
	// The 31st of a month that has none would be a day of the next one.
	there.setDate(1)
	there.setMonth(there.getMonth() - months)
	const last = new Date(there.getFullYear(), there.getMonth() + 1, 0).getDate()
	there.setDate(Math.min(now.getDate(), last))
	return there.getTime()
}

function day(now: Date, days: number): Span {
	const at = (plus: number) =>
		new Date(now.getFullYear(), now.getMonth(), now.getDate() + days + plus).getTime()
	return { from: at(0), to: at(1) }
}

function dateOf(match: RegExpExecArray): Span | null {
	const [, year = '', month = '', dayOfMonth, hour, minutes = '0', seconds, zone] = match
	const [y, m, d] = [Number(year), Number(month) - 1, Number(dayOfMonth ?? 1)]
	const made = new Date(y, m, d)
	// Date carries the 31st of February over into March.
	if (made.getFullYear() !== y || made.getMonth() !== m || made.getDate() !== d) return null
	if (dayOfMonth === undefined) {
		return { from: made.getTime(), to: new Date(y, m + 1, 1).getTime() }
	}
	if (hour === undefined) return { from: made.getTime(), to: new Date(y, m, d + 1).getTime() }
	const [h, min, s] = [Number(hour), Number(minutes), Number(seconds ?? 0)]
	if (h > 23 || min > 59 || s > 59) return null
	const from = zone ? Date.UTC(y, m, d, h, min, s) : new Date(y, m, d, h, min, s).getTime()
	return { from, to: from + (seconds === undefined ? minute : 1000) }
}
