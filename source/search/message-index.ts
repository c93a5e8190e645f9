/** All documents, and what of them fits a query. */
import { setImmediate as turn } from 'node:timers/promises'
import { Best } from './best.ts'
import { type Document, type Found, facetMask } from './document.ts'
import { fold } from './fold.ts'
import type { Query } from './query.ts'
import {
	blocksInMemory,
	buildSegment,
	gradeOfText,
	needsText,
	Segment,
	type SegmentData,
	type Terms,
} from './segment.ts'

/** What was found so far, or, with `done`, in all. */
export interface Findings {
	/** The best first, the newest first among equals. */
	found: readonly Found[]
	total: number
	done: boolean
}

/** Keeps a segment: on the disk, or in memory. */
export type KeepSegment = (data: SegmentData, blocks: string[]) => Promise<Segment>

/** Documents that are not in a segment yet, at most; and UTF-16 units of their texts. */
const pendingLimit = { documents: 2048, text: 4_194_304 }
/** Segments of fewer documents are put together when there are `smallSegments` of them. */
const small = pendingLimit.documents / 2
const smallSegments = 8
/** Looks at texts for so long before others get their turn, and what was found is shown; ms. */
const slice = 40

interface Pending {
	document: Document
	folded: string
	facets: number
}

interface Place {
	/** Where it lies: in a segment, or among what is pending. */
	segment: Segment | null
	index: number
	document: Document | null
	grade: number
	at: number
	seq: number
}

const bestFirst = (a: Place, b: Place) => b.grade - a.grade || b.at - a.at || b.seq - a.seq

export class MessageIndex implements Disposable {
	#segments: Segment[] = []
	#pending: Pending[] = []
	#pendingText = 0

	/** Messages in it. */
	get size(): number {
		return this.#segments.reduce((sum, { size }) => sum + size, this.#pending.length)
	}

	get segments(): readonly Segment[] {
		return this.#segments
	}

	get pending(): number {
		return this.#pending.length
	}

	/** Whether it is time for `settle`. */
	get isFull(): boolean {
		return this.#pending.length >= pendingLimit.documents || this.#pendingText >= pendingLimit.text
	}

	add(document: Document): void {
		const folded = fold(document.text)
		this.#pending.push({ document, folded, facets: facetMask(document.facets) })
		this.#pendingText += document.text.length
	}

	/** Takes over a segment that was built before. */
	addSegment(segment: Segment): void {
		this.#segments.push(segment)
	}

	/**
	 * Makes a segment of what is pending, together with small ones where they have become many. Returns the
	 * segments that are no longer part of it: to be disposed of by the caller.
	 */
	async settle(keep: KeepSegment = keepInMemory): Promise<Segment[]> {
		const count = this.#pending.length
		if (count === 0) return []
		const little = this.#segments.filter(({ size }) => size < small)
		const replaced = little.length >= smallSegments ? little : []
		const documents = replaced.flatMap((segment) =>
			Array.from({ length: segment.size }, (_, index) => segment.document(index)),
		)
		documents.push(...this.#pending.map(({ document }) => document))
		const built: Segment[] = []
		for (const part of parts(documents)) {
			const { data, blocks } = buildSegment(part)
			built.push(await keep(data, blocks))
		}
		this.#segments = [...this.#segments.filter((each) => !replaced.includes(each)), ...built]
		// What has come meanwhile stays.
		const settled = this.#pending.splice(0, count)
		for (const { document } of settled) this.#pendingText -= document.text.length
		return replaced
	}

	/**
	 * All that fit, `limit` of them with their texts; what was found so far in between, where it takes longer.
	 * `fits`: whether a session is meant. `wanted`: whether to go on.
	 */
	async *find(
		query: Query,
		limit: number,
		fits: (session: string) => boolean,
		wanted: () => boolean = () => true,
	): AsyncGenerator<Findings> {
		const terms: Terms = {
			wanted: query.terms.filter(({ not }) => !not).map(({ text }) => text),
			unwanted: query.terms.filter(({ not }) => not).map(({ text }) => text),
		}
		const filter = filterOf(query)
		const best = new Best<Place>(limit, bestFirst)
		this.#findPending(terms, filter, fits, best)
		const inText = {
			wanted: terms.wanted.filter(needsText),
			unwanted: terms.unwanted.filter(needsText),
		}
		const look = inText.wanted.length + inText.unwanted.length > 0
		let since = performance.now()
		// The newest segments hold what was read last; on a first run that is the oldest.
		for (const segment of this.#segments.toReversed()) {
			for (const place of places(segment, terms, filter, fits)) {
				if (!look || decide(place, inText)) best.add(place)
				if (!look || performance.now() - since < slice) continue
				yield this.#findings(best, false)
				await turn()
				if (!wanted()) return
				since = performance.now()
			}
		}
		yield this.#findings(best, true)
	}

	#findPending(
		terms: Terms,
		filter: Filter,
		fits: (session: string) => boolean,
		best: Best<Place>,
	): void {
		for (const { document, folded, facets } of this.#pending) {
			const { at, seq, session } = document
			if (!filter(at, facets) || !fits(session)) continue
			const grade = gradeOfText(folded, terms)
			if (grade > 0) best.add({ segment: null, index: 0, document, grade, at, seq })
		}
	}

	#findings(best: Best<Place>, done: boolean): Findings {
		const found = best.items.flatMap(({ segment, index, document, grade }) => {
			const whole = segment?.document(index) ?? document
			return whole ? [{ ...whole, grade }] : []
		})
		return { found, total: best.count, done }
	}

	[Symbol.dispose](): void {
		for (const segment of this.#segments) segment[Symbol.dispose]()
		this.#segments = []
		this.#pending = []
	}
}

export const keepInMemory: KeepSegment = async (data, blocks) =>
	new Segment(data, blocksInMemory(blocks))

/** In pieces that a segment takes, in order. */
function* parts(documents: readonly Document[]): Generator<Document[]> {
	let part: Document[] = []
	let text = 0
	for (const document of documents) {
		part.push(document)
		text += document.text.length
		if (part.length < pendingLimit.documents && text < pendingLimit.text) continue
		yield part
		part = []
		text = 0
	}
	if (part.length > 0) yield part
}

type Filter = (at: number, facets: number) => boolean

/** The conditions of a query on messages themselves. */
function filterOf({ conditions, from, to }: Query): Filter {
	const masks = conditions
		.filter(({ field }) => field === 'kind')
		.map(({ values, not }) => ({ mask: facetMask(values), not }))
	return (at, facets) => {
		if ((from !== null && at < from) || (to !== null && at >= to)) return false
		return masks.every(({ mask, not }) => ((facets & mask) !== 0) !== not)
	}
}

/** Documents of a segment that fit as far as its words tell. */
function* places(
	segment: Segment,
	terms: Terms,
	filter: Filter,
	fits: (session: string) => boolean,
): Generator<Place> {
	const { sessions, session, at, seq, facets } = segment.data
	const fitting = sessions.map(fits)
	if (!fitting.includes(true)) return
	const grades = segment.grades(terms)
	for (let index = 0; index < grades.length; index++) {
		const grade = grades[index] ?? 0
		if (grade === 0 || !fitting[session[index] ?? 0]) continue
		const time = at[index] ?? 0
		if (!filter(time, facets[index] ?? 0)) continue
		yield { segment, index, document: null, grade, at: time, seq: seq[index] ?? 0 }
	}
}

/** Whether a document fits by its text too; its grade is then that of the worst term. */
function decide(place: Place, terms: Terms): boolean {
	if (!place.segment) return true
	const grade = gradeOfText(fold(place.segment.text(place.index)), terms)
	place.grade = Math.min(place.grade, grade)
	return grade > 0
}
