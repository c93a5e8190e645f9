import { type SafeText, safeText } from './safe-text.ts'
import { formatUsd } from './time.ts'

/** US dollars; `>$0.42` or `?` where some of it has no known price. */
export function costText({ costUsd, unpriced }: { costUsd: number; unpriced: number }): SafeText {
	if (unpriced === 0) return formatUsd(costUsd)
	return costUsd === 0 ? safeText`?` : safeText`>${formatUsd(costUsd)}`
}
