import { displayText, type SafeText, safeText } from '../../text/safe-text.ts'
import { timeLeft } from '../../text/time.ts'

/** `4:59 left`, or that there is none: by the clock of this device; the host's own decides. */
export function leftText(until: string, now: number): SafeText {
	return isOver(until, now) ? safeText`time is up` : safeText`${timeLeft(until, now)} left`
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
