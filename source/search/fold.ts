/**
 * Text as it is compared: without case, accents, width, hidden characters, and with every run of white space
 * as one space. Whole texts and parts of them fold alike, so that what occurs in a text occurs in it folded.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is how plain ASCII is told from the rest.
const ascii = /^[\x00-\x7f]*$/
const dropped = /[\p{Mn}\p{Me}\p{Cf}]/gu
const spaces = /\s+/g
/** Small letters that are not what their capitals fold to, and those that are written as two. */
const letters: Readonly<Record<string, string>> = { ß: 'ss', ς: 'σ', ı: 'i' }
const lettersPattern = /[ßςı]/g

const foldLetters = (text: string) =>
	text
		.normalize('NFKD')
		.replace(dropped, '')
		.toLowerCase()
		// Some small letters come apart once more.
		.normalize('NFKD')
		.replace(dropped, '')
		.replace(lettersPattern, (letter) => letters[letter] ?? letter)

export function fold(text: string): string {
	const folded = ascii.test(text) ? text.toLowerCase() : foldLetters(text)
	return folded.replace(spaces, ' ')
}

/** A folded text that knows where each of its characters stood. */
export interface Folded {
	text: string
	/** The offset in the raw text of each UTF-16 unit of `text`, and of its end. */
	from: Uint32Array
}

/** As `fold`, with the way back. Costs much more: for what is shown. */
export function foldWithPlaces(raw: string): Folded {
	const parts: string[] = []
	const from: number[] = []
	let space = false
	let place = 0
	for (const character of raw) {
		const folded = fold(character)
		for (const unit of folded.split('')) {
			if (unit === ' ' && space) continue
			space = unit === ' '
			parts.push(unit)
			from.push(place)
		}
		place += character.length
	}
	from.push(place)
	return { text: parts.join(''), from: Uint32Array.from(from) }
}
