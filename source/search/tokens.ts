/**
 * The words of a folded text, as the index lists them. A word is a run of letters, digits and underscores; a
 * long one is listed in pieces that overlap, so that every part of it up to `maxPart` lies whole in a piece.
 */

const pieceLength = 64
const step = 32
/** Longest part of a word that is looked up as a whole; UTF-16 units. */
export const maxPart = pieceLength - step + 1

/** Stands where a piece was cut off: there is no edge of a word. */
export const cut = '\u0001'

const word = /[\p{L}\p{N}_]+/gu

/** Adds the words of a folded text. */
export function addWords(folded: string, into: Set<string>): void {
	for (const match of folded.matchAll(word)) {
		const [text] = match
		if (text.length <= pieceLength) into.add(text)
		else for (const piece of pieces(text)) into.add(piece)
	}
}

function* pieces(text: string): Generator<string> {
	for (let at = 0; ; at += step) {
		const last = at + pieceLength >= text.length
		const piece = text.slice(at, at + pieceLength)
		yield `${at === 0 ? '' : cut}${piece}${last ? '' : cut}`
		if (last) return
	}
}

/** A part of a term that lies within one word of the text. */
export interface Part {
	text: string
	/** A word begins, or ends, at its edge wherever the term occurs. */
	begins: boolean
	ends: boolean
}

/**
 * What has to be looked up to find a folded term. `whole`: it is one part, and where that occurs the term
 * does; else the text itself has to be looked at.
 */
export function partsOf(term: string): { parts: Part[]; whole: boolean } {
	const parts: Part[] = []
	for (const match of term.matchAll(word)) {
		const [text] = match
		const end = match.index + text.length
		const begins = match.index > 0
		const ends = end < term.length
		if (text.length <= maxPart) parts.push({ text, begins, ends })
		else parts.push({ text: text.slice(0, maxPart), begins, ends: false })
	}
	const [only] = parts
	return { parts, whole: only !== undefined && only.text === term }
}
