/** All documents, and what of them fits a query. */
import { type Document, type Found, facetMask } from './document.ts'
import { fold } from './fold.ts'
import { gradeOfAll } from './occurrences.ts'
import type { Query } from './query.ts'

interface Kept {
	document: Document
	folded: string
	mask: number
}

/** Documents looked at before others get their turn. */
const slice = 500

export class MessageIndex {
	readonly #kept: Kept[] = []

	get size(): number {
		return this.#kept.length
	}

	add(documents: readonly Document[]): void {
		for (const document of documents) {
			const mask = facetMask(document.facets)
			this.#kept.push({ document, folded: fold(document.text), mask })
		}
	}

	/** All that fit, the best first, the newest first among equals. `fits`: whether a session is meant. */
	async find(query: Query, fits: (session: string) => boolean): Promise<Found[]> {
		const found: Found[] = []
		const wanted = query.terms.filter(({ not }) => !not).map(({ text }) => text)
		const unwanted = query.terms.filter(({ not }) => not).map(({ text }) => text)
		const kinds = query.conditions.filter(({ field }) => field === 'kind')
		const masks = kinds.map(({ values, not }) => ({ mask: facetMask(values), not }))
		const { from, to } = query
		for (const [index, { document, folded, mask }] of this.#kept.entries()) {
			if (index % slice === slice - 1) await new Promise((resolve) => setImmediate(resolve))
			if ((from !== null && document.at < from) || (to !== null && document.at >= to)) continue
			if (masks.some((each) => ((mask & each.mask) !== 0) === each.not)) continue
			if (!fits(document.session)) continue
			const grade = gradeOfAll(folded, wanted)
			if (grade === 0 || unwanted.some((term) => folded.includes(term))) continue
			found.push({ ...document, grade })
		}
		return found.sort((a, b) => b.grade - a.grade || b.at - a.at || b.seq - a.seq)
	}
}
