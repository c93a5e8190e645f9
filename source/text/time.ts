/** Times, durations, counts and money, short. All pure: the present comes in as an argument. */
import { displayText, type SafeText, safeText } from './safe-text.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Age of a time (ISO 8601, or ms): `now`, `2m`, `3h`, `4d`, `5w`, `2y`; `?` for what is no time. `now` in ms. */
export function relativeTime(at: string | number, now: number): SafeText {
	const age = now - (typeof at === 'number' ? at : Date.parse(at))
	if (Number.isNaN(age)) return safeText`?`
	if (age < minute) return age < -minute ? safeText`in ${short(-age)}` : safeText`now`
	return short(age)
}

function short(ms: number): SafeText {
	if (ms < hour) return safeText`${Math.floor(ms / minute)}m`
	if (ms < day) return safeText`${Math.floor(ms / hour)}h`
	if (ms < 14 * day) return safeText`${Math.floor(ms / day)}d`
	if (ms < 365 * day) return safeText`${Math.floor(ms / (7 * day))}w`
	return safeText`${Math.floor(ms / (365 * day))}y`
}

/** Time left until an ISO 8601 time: `4:59`, `1h 02m`; `0:00` when it is over, `?` for what is no time. */
export function timeLeft(until: string, now: number): SafeText {
	const left = Math.max(0, Date.parse(until) - now)
	if (Number.isNaN(left)) return safeText`?`
	const seconds = Math.ceil(left / second)
	if (seconds < 3600) return displayText(`${Math.floor(seconds / 60)}:${two(seconds % 60)}`)
	return displayText(`${Math.floor(seconds / 3600)}h ${two(Math.floor(seconds / 60) % 60)}m`)
}

/** A duration in ms: `40 ms`, `0.2 s`, `12 s`, `3 min`, `1 h 05 min`. */
export function formatDuration(ms: number): SafeText {
	if (!Number.isFinite(ms) || ms < 0) return safeText`?`
	if (ms < 100) return safeText`${Math.round(ms)} ms`
	if (ms < 9950) return displayText(`${(ms / second).toFixed(1)} s`)
	if (ms < 59_500) return safeText`${Math.round(ms / second)} s`
	const minutes = Math.round(ms / minute)
	if (minutes < 60) return safeText`${Math.max(1, minutes)} min`
	return displayText(`${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`)
}

/** A count: `999`, `1.2k`, `12.4k`, `124k`, `1.2M`. */
export function formatCount(value: number): SafeText {
	if (!Number.isFinite(value)) return safeText`?`
	if (value < 1000) return safeText`${Math.round(value)}`
	for (const [unit, name] of [
		[1e3, 'k'],
		[1e6, 'M'],
		[1e9, 'G'],
	] as const) {
		const scaled = value / unit
		if (scaled < 99.95) return displayText(`${scaled.toFixed(1)}${name}`)
		if (scaled < 999.5 || unit === 1e9) return displayText(`${Math.round(scaled)}${name}`)
	}
	return safeText`?`
}

/** US dollars: `$0.42`, `$12.30`, `$0.004` for what would round to nothing. */
export function formatUsd(value: number): SafeText {
	if (!Number.isFinite(value)) return safeText`?`
	if (value > 0 && value < 0.005) {
		return value < 0.0005 ? safeText`<$0.001` : displayText(`$${value.toFixed(3)}`)
	}
	return displayText(`$${value.toFixed(2)}`)
}

/** `2026-01-31 14:05` of an ISO 8601 time, UTC; `?` for what is no time. */
export function shortTime(at: string): SafeText {
	const time = new Date(at)
	if (Number.isNaN(time.getTime())) return safeText`?`
	return displayText(time.toISOString().slice(0, 16).replace('T', ' '))
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `Wed 25 Nov` of a day such as `2026-11-25`, with its year where that is not `thisYear`; `?` for what is no day. */
export function dayText(day: string, thisYear: number): SafeText {
	const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day)
	if (!parts) return safeText`?`
	const [year = 0, month = 0, date = 0] = parts.slice(1).map(Number)
	const weekday = weekdays[new Date(Date.UTC(year, month - 1, date)).getUTCDay()]
	const short = `${weekday} ${date} ${months[month - 1]}`
	return displayText(year === thisYear ? short : `${short} ${year}`)
}

const two = (value: number) => String(value).padStart(2, '0')
