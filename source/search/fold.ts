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
	const units: number[] = []
	const from: number[] = []
	let space = false
	const add = (unit: number, place: number) => {
		if (unit === blank && space) return
		space = unit === blank
		units.push(unit)
		from.push(place)
	}
	for (let place = 0; place < raw.length; ) {
		const code = raw.charCodeAt(place)
		if (code < 0x80) {
			add(foldAscii(code), place)
			place++
			continue
		}
		const character = String.fromCodePoint(raw.codePointAt(place) ?? code)
		const folded = fold(character)
		for (let at = 0; at < folded.length; at++) add(folded.charCodeAt(at), place)
		place += character.length
	}
	from.push(raw.length)
	return { text: stringOf(units), from: Uint32Array.from(from) }
}

const blank = 0x20

function foldAscii(code: number): number {
	if (code >= 0x41 && code <= 0x5a) return code + 0x20
	return code >= 0x09 && code <= 0x0d ? blank : code
}

/** Not all at once: there is a limit to how many arguments a call has. */
function stringOf(units: readonly number[]): string {
	let text = ''
	for (let at = 0; at < units.length; at += 4096) {
		text += String.fromCharCode(...units.slice(at, at + 4096))
	}
	return text
}
