import { pairedRatio, spread } from './statistics.ts'

export interface Sampling {
	/** Rounds that are made in any case, after one that does not count. */
	least: number
	/** Rounds at most. */
	most: number
	/** The rounds end when both are spread by less than this share of their median. */
	calm?: number
	/** No further round starts after so long, ms. */
	limitMs?: number
}

export interface Samples {
	/** By name, in the order they were taken; index n of each is of the same round. */
	of(name: string): readonly number[]
	ratio(name: string, floor: string): number
}

/** Something to be measured: gives ms, or whatever else the benchmark counts. */
export type Measure = () => number | Promise<number>

/**
 * Takes turns between the things to be measured, in another order each round, so that none of them always
 * comes after the same other. On a noisy machine it goes on longer.
 */
export async function takeTurns(
	measures: Readonly<Record<string, Measure>>,
	{ least, most, calm = 0.1, limitMs = 60_000 }: Sampling,
): Promise<Samples> {
	const taken = new Map<string, number[]>(Object.keys(measures).map((name) => [name, []]))
	const order = Object.entries(measures)
	const end = performance.now() + limitMs
	for (let round = -1; round < most; round++) {
		if (round >= least && (performance.now() > end || isCalm(taken, calm))) break
		for (const [name, measure] of order) {
			const value = await measure()
			// The first round fills caches of the disk and of the compiler.
			if (round >= 0) taken.get(name)?.push(value)
		}
		order.push(...order.splice(0, 1))
	}
	const of = (name: string): readonly number[] => {
		const samples = taken.get(name)
		if (!samples) throw new RangeError(`nothing was measured as ${name}`)
		return samples
	}
	return { of, ratio: (name, floor) => pairedRatio(of(name), of(floor)) }
}

function isCalm(taken: ReadonlyMap<string, readonly number[]>, calm: number): boolean {
	return [...taken.values()].every((samples) => spread(samples) < calm)
}
