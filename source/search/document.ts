/** One message as the index keeps it. */
import type { Kind } from '../protocol/events.ts'
import { type Facet, facets } from './query-fields.ts'

export interface Document {
	session: string
	seq: number
	/** ms since the epoch. */
	at: number
	kind: Kind
	/** Raw; what is looked through. */
	text: string
	facets: readonly Facet[]
}

/** A document that fits a query. */
export interface Found extends Document {
	/** How well: `Grade` of its worst word. */
	grade: number
}

/** Facets as bits; words that are none are passed over. */
export function facetMask(of: readonly string[]): number {
	return facets.reduce((mask, facet, index) => (of.includes(facet) ? mask | (1 << index) : mask), 0)
}

export function facetsOf(mask: number): Facet[] {
	return facets.filter((_, index) => (mask & (1 << index)) !== 0)
}
