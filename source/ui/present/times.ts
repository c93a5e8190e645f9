import { displayText, type SafeText, safeText } from '../../text/safe-text.ts'
import { formatDuration, timeLeft } from '../../text/time.ts'

/** Time left below which it is counted in seconds, ms. */
export const hurryMs = 10 * 60_000

/**
 * `42 min left`, `4:59 left` when it gets short, or that there is none: by the clock of this device; the
 * host's own decides.
 */
export function leftText(until: string, now: number): SafeText {
	if (isOver(until, now)) return safeText`time is up`
	const left = Date.parse(until) - now
	if (left < hurryMs || Number.isNaN(left)) return safeText`${timeLeft(until, now)} left`
	const minutes = Math.round(left / 60_000)
	return minutes < 100 ? safeText`${minutes} min left` : safeText`${formatDuration(left)} left`
}

export function isOver(until: string, now: number): boolean {
	return Date.parse(until) <= now
}

/** Time of day, `14:05`, in the person's own time zone; `?` for what is no time. */
export function clockTime(at: string): SafeText {
	const time = new Date(at)
	if (Number.isNaN(time.getTime())) return safeText`?`
	const two = (value: number) => String(value).padStart(2, '0')
	return displayText(`${two(time.getHours())}:${two(time.getMinutes())}`)
}
