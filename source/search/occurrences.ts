/** Where the words of a query occur in one text: how well, and what of it is shown. */
import { fold, foldWithPlaces } from './fold.ts'

/** How well a word fits: 0 not at all, 1 inside of words, 2 at the beginning of one, 3 as a whole one. */
export type Grade = 0 | 1 | 2 | 3

const wordCharacter = /[\p{L}\p{N}_]/u

/** Whether there is a word's edge between two characters. */
function isEdge(before: string, after: string): boolean {
	return !wordCharacter.test(before) || !wordCharacter.test(after)
}

/** The grade of the best of the places where `term` occurs in `text`, both folded. */
export function gradeOf(text: string, term: string): Grade {
	let best: Grade = 0
	for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
		const grade = gradeAt(text, term, at)
		if (grade > best) best = grade
		if (best === 3) break
	}
	return best
}

/** The whole character that ends, or begins, at a place. */
const before = (text: string, at: number) => characterAt(text, at - 1)
function characterAt(text: string, at: number): string {
	if (at < 0) return ''
	const unit = text.charCodeAt(at)
	const low = unit >= 0xdc00 && unit <= 0xdfff
	return String.fromCodePoint(text.codePointAt(low && at > 0 ? at - 1 : at) ?? 32)
}

function gradeAt(text: string, term: string, at: number): Grade {
	const end = at + term.length
	if (!isEdge(before(text, at), characterAt(text, at))) return 1
	return end >= text.length || isEdge(before(text, end), characterAt(text, end)) ? 3 : 2
}

export interface Snippet {
	/** Raw text around a match, at most `snippetLength` UTF-16 units. */
	snippet: string
	/** Offsets into `snippet`, ascending, not overlapping: from (included), to (not included). */
	matches: (readonly [number, number])[]
}

export const snippetLength = 300
/** Shown before the first match. */
const lead = 60
/** Texts longer than this are cut around a match before places are looked for, which costs much. */
const closeLook = 4096

/** The part of a raw text around the best place of folded terms; its beginning where none occurs in it. */
export function snippetOf(raw: string, terms: readonly string[]): Snippet {
	if (terms.length === 0) return { snippet: raw.slice(0, cutAt(raw, snippetLength)), matches: [] }
	const near = around(raw, terms)
	const { text, from } = foldWithPlaces(near)
	const places = placesIn(text, terms).map(
		([start, end]) => [from[start] ?? 0, from[end] ?? near.length] as const,
	)
	const [first = [0, 0] as const] = bestFirst(text, terms, places, from)
	const start = cutAt(near, Math.max(0, first[0] - lead))
	const end = cutAt(near, Math.min(near.length, start + snippetLength))
	const inside = places.flatMap(([a, b]): [number, number][] => {
		if (a >= end || b <= start || b <= a) return []
		return [[Math.max(a, start) - start, Math.min(b, end) - start]]
	})
	return { snippet: near.slice(start, end), matches: merged(inside) }
}

/** A piece of a long text that has a match in it, or its beginning. */
function around(raw: string, terms: readonly string[]): string {
	if (raw.length <= closeLook) return raw
	const overlap = Math.max(0, ...terms.map((term) => term.length)) + lead
	let best = ''
	let bestGrade = -1
	const step = Math.max(closeLook - overlap * 4, closeLook / 4)
	for (let at = 0; at < raw.length; at += step) {
		const piece = raw.slice(cutAt(raw, at), cutAt(raw, Math.min(raw.length, at + closeLook)))
		const folded = fold(piece)
		const grades = terms.map((term) => gradeOf(folded, term))
		const grade = grades.reduce<number>((sum, each) => sum + each + (each > 0 ? 3 : 0), 0)
		if (grade > bestGrade) [best, bestGrade] = [piece, grade]
		if (grade >= 6 * terms.length) break
	}
	return best
}

/** Whether a text is cut between the halves of one character there is no way to show. */
function cutAt(text: string, at: number): number {
	const unit = text.charCodeAt(at)
	return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at
}

/** Where terms occur in a folded text, in order. */
function placesIn(text: string, terms: readonly string[]): [number, number][] {
	const places: [number, number][] = []
	for (const term of new Set(terms)) {
		for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
			places.push([at, at + term.length])
		}
	}
	return places.sort((a, b) => a[0] - b[0] || a[1] - b[1])
}

/** The places, those first that fit best; of equals the one that stands first. */
function bestFirst(
	text: string,
	terms: readonly string[],
	places: readonly (readonly [number, number])[],
	from: Uint32Array,
): (readonly [number, number])[] {
	const graded = new Map<number, number>()
	for (const term of terms) {
		for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
			const place = from[at] ?? 0
			graded.set(place, Math.max(graded.get(place) ?? 0, gradeAt(text, term, at)))
		}
	}
	return [...places].sort(
		(a, b) => (graded.get(b[0]) ?? 0) - (graded.get(a[0]) ?? 0) || a[0] - b[0],
	)
}

function merged(places: readonly [number, number][]): (readonly [number, number])[] {
	const result: [number, number][] = []
	for (const [start, end] of places) {
		const last = result.at(-1)
		if (last && start <= last[1]) last[1] = Math.max(last[1], end)
		else result.push([start, end])
	}
	return result
}
