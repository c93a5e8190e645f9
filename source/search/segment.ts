/** Some thousand documents that do not change any more: columns, words, and their texts in blocks. */
import { kinds } from '../protocol/events.ts'
import { type Document, facetMask, facetsOf } from './document.ts'
import { fold } from './fold.ts'
import { gradeOf } from './occurrences.ts'
import { addWords, partsOf } from './tokens.ts'
import { Vocabulary, VocabularyBuilder, type VocabularyData } from './vocabulary.ts'

/** All but the texts, as it lies on the disk. Columns have an entry a document. */
export interface SegmentData {
	sessions: string[]
	/** Index into `sessions`. */
	session: Uint32Array
	seq: Float64Array
	/** ms since the epoch. */
	at: Float64Array
	kind: Uint8Array
	facets: Uint16Array
	/** In which block the text is, and from where to where; UTF-16 units. */
	block: Uint32Array
	start: Uint32Array
	end: Uint32Array
	vocabulary: VocabularyData
}

/** Where the texts of a segment are. */
export interface Blocks {
	read(block: number): string
	[Symbol.dispose](): void
}

/** UTF-16 units of text after which a block is closed. */
const blockSize = 32_768

/** A segment of these documents, in their order, and the texts of its blocks. */
export function buildSegment(documents: readonly Document[]): {
	data: SegmentData
	blocks: string[]
} {
	const count = documents.length
	const data = {
		session: new Uint32Array(count),
		seq: new Float64Array(count),
		at: new Float64Array(count),
		kind: new Uint8Array(count),
		facets: new Uint16Array(count),
		block: new Uint32Array(count),
		start: new Uint32Array(count),
		end: new Uint32Array(count),
	}
	const sessions = new Map<string, number>()
	const builder = new VocabularyBuilder()
	const blocks: string[] = []
	let texts: string[] = []
	let length = 0
	const close = () => {
		if (texts.length === 0) return
		blocks.push(texts.join(''))
		texts = []
		length = 0
	}
	for (const [index, document] of documents.entries()) {
		const { session, text } = document
		const number = sessions.get(session) ?? sessions.size
		sessions.set(session, number)
		data.session[index] = number
		data.seq[index] = document.seq
		data.at[index] = document.at
		data.kind[index] = kinds.indexOf(document.kind)
		data.facets[index] = facetMask(document.facets)
		data.block[index] = blocks.length
		data.start[index] = length
		texts.push(text)
		length += text.length
		data.end[index] = length
		if (length >= blockSize) close()
		const words = new Set<string>()
		addWords(fold(text), words)
		builder.add(index, words)
	}
	close()
	const vocabulary = builder.build()
	return { data: { ...data, sessions: [...sessions.keys()], vocabulary }, blocks }
}

/** What a query asks of texts: folded terms. */
export interface Terms {
	wanted: readonly string[]
	unwanted: readonly string[]
}

export class Segment implements Disposable {
	readonly data: SegmentData
	readonly blocks: Blocks
	readonly #vocabulary: Vocabulary

	constructor(data: SegmentData, blocks: Blocks) {
		this.data = data
		this.blocks = blocks
		this.#vocabulary = new Vocabulary(data.vocabulary)
	}

	get size(): number {
		return this.data.seq.length
	}

	/**
	 * The grade of each document as far as the words alone tell: exact where no term `needsText`, else an upper
	 * bound for terms that are wanted, and nothing of those that are not.
	 */
	grades({ wanted, unwanted }: Terms): Uint8Array {
		const result = new Uint8Array(this.size).fill(3)
		for (const term of wanted) {
			const { parts, whole } = partsOf(term)
			for (const part of parts) {
				const grades = new Uint8Array(this.size)
				this.#vocabulary.grade(part, grades)
				for (let index = 0; index < grades.length; index++) {
					const grade = grades[index] ?? 0
					// A part that is there says nothing of how well the whole term fits.
					if (grade === 0 || whole) result[index] = Math.min(result[index] ?? 0, grade)
				}
			}
		}
		for (const term of unwanted) {
			const { parts, whole } = partsOf(term)
			const [part] = parts
			if (!part || !whole) continue
			const grades = new Uint8Array(this.size)
			this.#vocabulary.grade(part, grades)
			for (let index = 0; index < grades.length; index++) {
				if (grades[index] !== 0) result[index] = 0
			}
		}
		return result
	}

	text(index: number): string {
		const { block, start, end } = this.data
		return this.blocks.read(block[index] ?? 0).slice(start[index] ?? 0, end[index] ?? 0)
	}

	document(index: number): Document {
		const { sessions, session, seq, at, kind, facets } = this.data
		return {
			session: sessions[session[index] ?? 0] ?? '',
			seq: seq[index] ?? 0,
			at: at[index] ?? 0,
			kind: kinds[kind[index] ?? 0] ?? 'system',
			facets: facetsOf(facets[index] ?? 0),
			text: this.text(index),
		}
	}

	[Symbol.dispose](): void {
		this.blocks[Symbol.dispose]()
	}
}

/** Whether the text has to be looked at to tell where a term occurs. */
export const needsText = (term: string) => !partsOf(term).whole

/** Terms that were not decided by words alone, on the text itself. */
export function gradeOfText(folded: string, { wanted, unwanted }: Terms): number {
	if (unwanted.some((term) => folded.includes(term))) return 0
	let worst = 3
	for (const term of wanted) worst = Math.min(worst, gradeOf(folded, term))
	return worst
}

/** Texts in memory. */
export function blocksInMemory(blocks: readonly string[]): Blocks {
	return { read: (block) => blocks[block] ?? '', [Symbol.dispose]() {} }
}
