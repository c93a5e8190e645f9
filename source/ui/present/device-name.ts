import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'

/** The name of a device, or where it has none that opens, the start of its id. */
export function deviceName(id: string, name: string | null): SafeText {
	return name === null ? safeText`device ${oneLine(id.slice(0, 8))}` : oneLine(name)
}

/** `1 session`, `12 sessions`. */
export function counted(count: number, one: SafeText, many: SafeText): SafeText {
	return safeText`${count} ${count === 1 ? one : many}`
}

export function sessionsText(count: number): SafeText {
	return counted(count, safeText`session`, safeText`sessions`)
}
