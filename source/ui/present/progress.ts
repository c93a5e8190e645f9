import { repeatText, type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import type { Progress } from '../../viewer/devices.ts'

const barColumns = 20

/** `… giving it the keys  ▓▓▓▓░░░░ 3,400 of 10,000`; without a count, that it is at work. */
export function progressLine(what: SafeText, progress: Progress | null): StyledLine {
	const working = span(safeText`… ${what}`, 'accent')
	if (!progress || progress.total <= 0) return [working]
	const done = Math.min(progress.done, progress.total)
	const full = Math.floor((done / progress.total) * barColumns)
	return [
		working,
		span(safeText`  ${repeatText(safeText`▓`, full)}${repeatText(safeText`░`, barColumns - full)}`),
		span(safeText` ${done} of ${progress.total}`, 'strong'),
	]
}
