/** The words of a segment, each with the documents that it occurs in. */
import type { Grade } from './occurrences.ts'
import type { Part } from './tokens.ts'

/** As it lies on the disk. Numbers of documents ascend, as differences of seven bits a byte. */
export interface VocabularyData {
	/** All words in order, a line feed before and after each. */
	words: string
	/** Where the documents of each word begin in `postings`, and where the last ones end. */
	starts: Uint32Array
	postings: Uint8Array
}

export class VocabularyBuilder {
	readonly #documents = new Map<string, number[]>()

	/** Documents come in ascending order. */
	add(document: number, words: Iterable<string>): void {
		for (const word of words) {
			const known = this.#documents.get(word)
			if (known) known.push(document)
			else this.#documents.set(word, [document])
		}
	}

	build(): VocabularyData {
		const entries = [...this.#documents]
		const starts = new Uint32Array(entries.length + 1)
		const bytes: number[] = []
		for (const [index, [, documents]] of entries.entries()) {
			starts[index] = bytes.length
			let last = -1
			for (const document of documents) {
				let gap = document - last - 1
				last = document
				for (; gap > 0x7f; gap >>>= 7) bytes.push((gap & 0x7f) | 0x80)
				bytes.push(gap)
			}
		}
		starts[entries.length] = bytes.length
		const words = `\n${entries.map(([word]) => word).join('\n')}\n`
		return { words, starts, postings: Uint8Array.from(bytes) }
	}
}

const lineFeed = 10

export class Vocabulary {
	readonly #data: VocabularyData
	/** Where each word begins in `words`. */
	readonly #places: Uint32Array

	constructor(data: VocabularyData) {
		this.#data = data
		const places = new Uint32Array(Math.max(0, data.starts.length - 1))
		let at = 0
		for (let index = 0; index < places.length; index++) {
			places[index] = at + 1
			at = data.words.indexOf('\n', at + 1)
		}
		this.#places = places
	}

	/** Raises the grade of each document in whose words the part occurs. */
	grade({ text, begins, ends }: Part, grades: Uint8Array): void {
		const { words } = this.#data
		const best = new Map<number, Grade>()
		for (let at = words.indexOf(text); at >= 0; at = words.indexOf(text, at + 1)) {
			const atStart = words.charCodeAt(at - 1) === lineFeed
			const atEnd = words.charCodeAt(at + text.length) === lineFeed
			if ((begins && !atStart) || (ends && !atEnd)) continue
			const index = this.#wordAt(at)
			const grade: Grade = atStart ? (atEnd ? 3 : 2) : 1
			if (grade > (best.get(index) ?? 0)) best.set(index, grade)
			if (grade === 3 || !atStart) continue
			// No better place in this word than its beginning.
			at = Math.max(at, words.indexOf('\n', at) - 1)
		}
		for (const [index, grade] of best) this.#raise(index, grade, grades)
	}

	#raise(index: number, grade: Grade, grades: Uint8Array): void {
		const { starts, postings } = this.#data
		const end = starts[index + 1] ?? 0
		let document = -1
		for (let at = starts[index] ?? 0; at < end; ) {
			let gap = 0
			for (let shift = 0; ; shift += 7) {
				const byte = postings[at++] ?? 0
				gap |= (byte & 0x7f) << shift
				if (byte < 0x80) break
			}
			document += gap + 1
			if ((grades[document] ?? 3) < grade) grades[document] = grade
		}
	}

	/** The number of the word that a place lies in. */
	#wordAt(place: number): number {
		const places = this.#places
		let low = 0
		let high = places.length - 1
		while (low < high) {
			const middle = (low + high + 1) >>> 1
			if ((places[middle] ?? 0) <= place) low = middle
			else high = middle - 1
		}
		return low
	}
}
