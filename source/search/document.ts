/** One message as the index keeps it. */
import { type Kind, kinds } from '../protocol/events.ts'
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

/** Facets as bits. */
export function facetMask(of: readonly string[]): number {
	return of.reduce((mask, facet) => {
		const index = facets.indexOf(facet as Facet)
		return index < 0 ? mask : mask | (1 << index)
	}, 0)
}

export const kindNumber = (kind: Kind) => kinds.indexOf(kind)
