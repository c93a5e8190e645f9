/** Breaking styled lines to a width. */
import { type SafeText, sliceText } from './safe-text.ts'
import { compactLine, lineFits, lineWidth, type Span, type StyledLine } from './styled.ts'
import { fits, measureFit, textWidth } from './width.ts'

export interface WrapOptions {
	/**
	 * `words` (default) breaks between words and drops the spaces there; `columns` breaks wherever the line
	 * is full and keeps every character: for code, commands and whatever a person decides on.
	 */
	mode?: 'words' | 'columns'
	/** Put before the first line; it counts into the width. */
	first?: StyledLine
	/** Put before each further line; it counts into the width. */
	rest?: StyledLine
}

/** Breaks a line to at most `width` columns. A character wider than that stands alone and overflows. */
export function wrapLine(line: StyledLine, width: number, options: WrapOptions = {}): StyledLine[] {
	const { mode = 'words', first = [], rest = [] } = options
	const room = { first: width - lineWidth(first), rest: width - lineWidth(rest) }
	if (lineFits(line, room.first)) return [[...first, ...line]]
	const filler = new Filler(Math.max(1, room.first), Math.max(1, room.rest))
	if (mode === 'columns') for (const piece of line) filler.put(piece)
	else for (const token of tokens(line)) filler.putToken(token)
	return filler
		.end()
		.map((broken, index) => [...(index === 0 ? first : rest), ...compactLine(broken)])
}

/** A word (its pieces may differ in style) or the space between two. */
interface Token {
	space: boolean
	pieces: Span[]
	/** Of a word that fits into no line, not all of it. */
	width: number
}

/** A word wider than any screen need not be measured to its end. */
const longestWord = 2000

function wordWidth(text: string): number {
	return text.length > longestWord && !fits(text, longestWord) ? longestWord + 1 : textWidth(text)
}

function* tokens(line: StyledLine): Generator<Token> {
	let token: Token | null = null
	for (const { text, style } of line) {
		for (const { index, 0: run } of text.matchAll(/ +|[^ ]+/g)) {
			const space = run.startsWith(' ')
			const piece: Span = { text: sliceText(text, index, index + run.length), style }
			if (token && token.space === space) {
				token.pieces.push(piece)
				token.width += wordWidth(run)
			} else {
				if (token) yield token
				token = { space, pieces: [piece], width: wordWidth(run) }
			}
		}
	}
	if (token) yield token
}

/** Fills lines one after the other. */
class Filler {
	readonly #lines: Span[][] = []
	readonly #rest: number
	#line: Span[] = []
	#room: number
	#used = 0
	#gap: Token | null = null

	constructor(first: number, rest: number) {
		this.#room = first
		this.#rest = rest
	}

	/** Puts text, broken wherever the line is full. */
	put({ text, style }: Span): void {
		let left: SafeText = text
		while (left !== '') {
			let { end, width } = measureFit(left, this.#room - this.#used)
			if (end === 0 && this.#used === 0) ({ end, width } = fitFirst(left))
			if (end > 0) {
				this.#line.push({ text: sliceText(left, 0, end), style })
				this.#used += width
				left = sliceText(left, end)
			}
			if (left !== '') this.#break()
		}
	}

	putToken(token: Token): void {
		if (token.space) {
			// A line's own indentation stays; the space between words waits for the next word.
			if (this.#used === 0 && this.#lines.length === 0 && token.width < this.#room) {
				for (const piece of token.pieces) this.put(piece)
			} else this.#gap = token
			return
		}
		const gap = this.#used > 0 && this.#gap ? this.#gap : null
		this.#gap = null
		if (this.#used + (gap?.width ?? 0) + token.width <= this.#room) {
			for (const piece of [...(gap?.pieces ?? []), ...token.pieces]) this.put(piece)
			return
		}
		if (this.#used > 0) {
			if (token.width <= this.#rest || !gap || gap.width + 8 > this.#room - this.#used)
				this.#break()
			else for (const piece of gap.pieces) this.put(piece)
		}
		for (const piece of token.pieces) this.put(piece)
	}

	end(): Span[][] {
		return [...this.#lines, this.#line]
	}

	#break(): void {
		this.#lines.push(this.#line)
		this.#line = []
		this.#used = 0
		this.#room = this.#rest
	}
}

function fitFirst(text: string): { end: number; width: number } {
	for (const columns of [1, 2, 4, 8]) {
		const found = measureFit(text, columns)
		if (found.end > 0) return found
	}
	return { end: text.length, width: textWidth(text) }
}
