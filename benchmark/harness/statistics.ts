/** What is made of samples. Medians and quantiles only: one slow run on a busy machine changes little. */

/** The value below which the share `q` (0 to 1) of the samples lies, between neighbours in proportion. */
export function quantile(samples: readonly number[], q: number): number {
	if (samples.length === 0) throw new RangeError('a quantile needs at least one sample')
	const sorted = [...samples].sort((a, b) => a - b)
	const place = (sorted.length - 1) * Math.min(1, Math.max(0, q))
	const below = sorted[Math.floor(place)] ?? Number.NaN
	const above = sorted[Math.ceil(place)] ?? Number.NaN
	return below + (above - below) * (place - Math.floor(place))
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5)

/** How far the middle half of the samples is spread, as a share of their median. */
export function spread(samples: readonly number[]): number {
	const middle = median(samples)
	if (middle === 0) return 0
	return (quantile(samples, 0.75) - quantile(samples, 0.25)) / Math.abs(middle)
}

/**
 * The median of the ratios of samples that were taken next to each other: what slows the machine down for
 * a while slows both down, and cancels out.
 */
export function pairedRatio(samples: readonly number[], floors: readonly number[]): number {
	const pairs = Math.min(samples.length, floors.length)
	return median(samples.slice(0, pairs).map((sample, index) => sample / (floors[index] ?? 0)))
}
