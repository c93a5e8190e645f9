/** How far one session is in the index, and what of it could not be taken over. */
import * as v from 'valibot'
import type { ChainState } from '../../protocol/message.ts'
import type { Row } from '../checked-message.ts'

/** Rows from (included) to (included) that did not verify. */
export type Gap = [from: number, to: number]

export interface Position {
	/** All rows up to here were looked at. */
	last: number
	/** The chain after row `last`; `null`: not known. */
	end: ChainState | null
	/** Rows of a body whose other parts are still to come. Not kept on the disk. */
	carried: Row[]
	/** Tried once more at each start: a key may have come. */
	gaps: Gap[]
	/** Rows that did not verify and are not tried again. */
	lost: number
}

/** A session with more than so many gaps is broken; the rest is only counted. */
const maxGaps = 100

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** What of a position lies on the disk. */
export const keptPosition = v.object({
	last: count,
	end: v.nullable(
		v.object({
			seq: count,
			chain: v.instance(Uint8Array),
			signature: v.nullable(v.instance(Uint8Array)),
		}),
	),
	gaps: v.array(v.tuple([count, count])),
	lost: count,
})
export type KeptPosition = Omit<Position, 'carried'>

export const begin = (): Position => ({ last: 0, end: null, carried: [], gaps: [], lost: 0 })

/** Parts that are carried are read again. */
export function keep({ last, end, carried, gaps, lost }: Position): KeptPosition {
	const [first] = carried
	return first ? { last: first.seq - 1, end: null, gaps, lost } : { last, end, gaps, lost }
}

export const restore = (kept: KeptPosition): Position => ({ ...kept, carried: [] })

/** Notes that rows could not be taken over. */
export function addGap(position: Position, from: number, to: number): void {
	const last = position.gaps.at(-1)
	if (last && last[1] === from - 1) last[1] = to
	else if (position.gaps.length < maxGaps) position.gaps.push([from, to])
	else position.lost += to - from + 1
}

/** Takes rows out of the gaps: they are about to be looked at again. */
export function withoutGap(gaps: readonly Gap[], from: number, to: number): Gap[] {
	return gaps.flatMap(([a, b]): Gap[] => {
		const before: Gap[] = a < from ? [[a, Math.min(b, from - 1)]] : []
		const after: Gap[] = b > to ? [[Math.max(a, to + 1), b]] : []
		return b < from || a > to ? [[a, b]] : [...before, ...after]
	})
}

export function unverified({ gaps, lost }: Position): number {
	return gaps.reduce((sum, [from, to]) => sum + to - from + 1, lost)
}
