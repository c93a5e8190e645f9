/** Finding words in text whatever their case, and marking them in lines that are laid out. */
import { sliceText } from './safe-text.ts'
import { lineText, type Span, type Style, type StyledLine } from './styled.ts'

/** The same text without case; each unit stays in its place, so that what is found there is found here. */
export function fold(text: string): string {
	const lower = text.toLowerCase()
	if (lower.length === text.length) return lower
	return Array.from(text, (character) => {
		const small = character.toLowerCase()
		return small.length === character.length ? small : character
	}).join('')
}

/** What is looked for: `words`, folded, that must all occur. */
export interface Wanted {
	words: readonly string[]
}

/** Text as it was typed, looked for as one piece; `null`: nothing was typed. */
export function wantedOf(typed: string): Wanted | null {
	const word = fold(typed.trim())
	return word === '' ? null : { words: [word] }
}

export function occursIn({ words }: Wanted, text: string): boolean {
	const folded = fold(text)
	return words.every((word) => folded.includes(word))
}

interface Range {
	from: number
	to: number
}

/** Where any of the words is in a text, in order, none over another. */
function rangesIn(text: string, { words }: Wanted): Range[] {
	const folded = fold(text)
	const found: Range[] = []
	for (const word of words) {
		if (word === '') continue
		for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
			found.push({ from: at, to: at + word.length })
		}
	}
	const kept: Range[] = []
	for (const range of found.sort((a, b) => a.from - b.from || b.to - a.to)) {
		if (range.from >= (kept.at(-1)?.to ?? 0)) kept.push(range)
	}
	return kept
}

/** What stands before the text of a line that goes on from the one above. */
const before = /^[\s▌┆│]*/

/**
 * Which parts of each line are matches. A match may be broken over two lines, between words or within one.
 * Empty where a line has none.
 */
export function matchesIn(lines: readonly StyledLine[], wanted: Wanted): Range[][] {
	const texts = lines.map(lineText)
	const found: Range[][] = texts.map((text) => rangesIn(text, wanted))
	const longest = Math.max(0, ...wanted.words.map((word) => word.length))
	if (longest < 2) return found
	for (let index = 0; index + 1 < texts.length; index++) {
		const above = texts[index] ?? ''
		const below = texts[index + 1] ?? ''
		const start = before.exec(below)?.[0].length ?? 0
		for (const gap of [' ', '']) {
			const tail = above.trimEnd()
			const cut = Math.max(0, tail.length - longest)
			const joined = tail.slice(cut) + gap + below.slice(start, start + longest)
			const edge = tail.length - cut
			for (const { from, to } of rangesIn(joined, wanted)) {
				if (from >= edge || to <= edge + gap.length) continue
				add(found[index], { from: cut + from, to: tail.length })
				add(found[index + 1], { from: start, to: start + to - edge - gap.length })
			}
		}
	}
	return found
}

function add(ranges: Range[] | undefined, range: Range): void {
	if (!ranges || ranges.some(({ from, to }) => range.from < to && from < range.to)) return
	ranges.push(range)
	ranges.sort((a, b) => a.from - b.from)
}

/** The line with these parts of it in another style. */
export function markLine(line: StyledLine, ranges: readonly Range[], style: Style): StyledLine {
	if (ranges.length === 0) return line
	const marked: Span[] = []
	let start = 0
	for (const { text, style: own } of line) {
		const end = start + text.length
		let at = start
		for (const { from, to } of ranges) {
			const first = Math.max(at, from)
			const last = Math.min(end, to)
			if (first >= last) continue
			if (first > at) marked.push({ text: sliceText(text, at - start, first - start), style: own })
			marked.push({ text: sliceText(text, first - start, last - start), style })
			at = last
		}
		if (at < end) marked.push({ text: sliceText(text, at - start), style: own })
		start = end
	}
	return marked
}
