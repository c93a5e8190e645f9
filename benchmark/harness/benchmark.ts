/** What a benchmark is, and what it gives. */
import type { Library } from './library.ts'

export type Unit = 'ms' | 'MB' | '%' | 'B' | 'kB/s' | 'per s' | 'packages'

/** One line of the result. */
export interface Row {
	what: string
	value: number
	unit: Unit
	/** What it is held against, measured in the same run and in the same unit. */
	floor?: { what: string; value: number; ratio: number }
	goal: Goal | null
	/** How many samples the value is the median (or the quantile) of. */
	samples: number
	/** Spread of the middle half, as a share of the median; `null` for what is measured once. */
	spread: number | null
}

export interface Goal {
	text: string
	met: boolean
}

/** What all benchmarks of a run share. */
export interface Bench {
	/** A home with imported sessions, one of them of 100,000 messages; made when first asked for. */
	library(): Promise<Library>
	/** Ends with the run. */
	readonly stack: AsyncDisposableStack
	/** Says what goes on, for the person who waits. */
	note(text: string): void
}

export interface Benchmark {
	name: string
	/** One line for `--help`. */
	summary: string
	/** Only when asked for with its flag or by name. */
	onDemand?: boolean
	/** Returns why it can't run here, or `null`. */
	lacks?(): string | null
	run(bench: Bench): Promise<Row[]>
}

export const atMost = (value: number, limit: number, text: string): Goal => ({
	text: `≤ ${text}`,
	met: value <= limit,
})

export const atLeast = (value: number, limit: number, text: string): Goal => ({
	text: `≥ ${text}`,
	met: value >= limit,
})
