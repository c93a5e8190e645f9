/** Says in words what a text hides, so that a person is warned before deciding on it. */
import { codePointName, patterns } from './characters.ts'
import { revealText, type SafeText } from './safe-text.ts'

export interface Inspection {
	/** What is in the text but not to be seen, each named once: `U+202E right-to-left override`. */
	hidden: string[]
	/** Words that mix scripts, or are written wholly in letters that look Latin and are not. */
	mixedScripts: SafeText[]
	/** Honest letters that some terminals show in another order than they come in. */
	rightToLeft: boolean
}

const names = new Map<number, string>([
	[0x00, 'null'],
	[0x07, 'bell'],
	[0x08, 'backspace'],
	[0x0b, 'vertical tab'],
	[0x0c, 'form feed'],
	[0x0d, 'carriage return'],
	[0x1b, 'escape: starts a terminal sequence'],
	[0x7f, 'delete'],
	[0x85, 'next line'],
	[0x90, 'starts a terminal sequence'],
	[0x9b, 'starts a terminal sequence'],
	[0x9d, 'starts a terminal sequence'],
	[0xa0, 'no-break space'],
	[0xad, 'soft hyphen'],
	[0x061c, 'Arabic letter mark'],
	[0x200b, 'zero-width space'],
	[0x200c, 'zero-width non-joiner'],
	[0x200d, 'zero-width joiner'],
	[0x200e, 'left-to-right mark'],
	[0x200f, 'right-to-left mark'],
	[0x2028, 'line separator'],
	[0x2029, 'paragraph separator'],
	[0x202a, 'left-to-right embedding'],
	[0x202b, 'right-to-left embedding'],
	[0x202c, 'end of direction'],
	[0x202d, 'left-to-right override'],
	[0x202e, 'right-to-left override'],
	[0x2060, 'word joiner'],
	[0x2066, 'left-to-right isolate'],
	[0x2067, 'right-to-left isolate'],
	[0x2068, 'first strong isolate'],
	[0x2069, 'end of isolate'],
	[0x2800, 'blank braille pattern'],
	[0x3000, 'ideographic space'],
	[0xfeff, 'byte order mark'],
])

const classes: readonly (readonly [RegExp, string])[] = [
	[/^[\u{e0000}-\u{e00ff}\u{e01f0}-\u{e0fff}]/u, 'hidden tag character'],
	[/^[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u, 'variation selector'],
	[/^\p{Zs}/u, 'unusual space'],
	[/^\p{Cc}/u, 'control character'],
	[/^\p{Co}/u, 'private-use character'],
	[/^\p{Cs}/u, 'half of a character'],
	[/^\p{Cn}/u, 'unassigned character'],
]

const stackedMark = /^[\p{M}--[\p{Default_Ignorable_Code_Point}]]/v

function describe(character: string): string {
	if (stackedMark.test(character)) return 'combining marks that stack or stand alone'
	const code = character.codePointAt(0) ?? 0
	const kind = classes.find(([pattern]) => pattern.test(character))?.[1] ?? 'invisible character'
	return `${codePointName(character)} ${names.get(code) ?? kind}`
}

const letters = /[\p{L}\p{M}]+/gu
const latin = /\p{Script=Latin}/u
const others = /[\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Cherokee}]/u
// Cyrillic and Greek letters that a terminal draws like Latin ones. The rest of Greek beside Latin is
// honest more often than not: Δt, Ωm.
const lookalikes = 'АВЕЅІЈКМНОРСТХУаеорсухѕіјһԁԛԝӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ'
const someLookalike = new RegExp(`[${lookalikes}]`, 'u')
const allLookalikes = new RegExp(`^[${lookalikes}]{2,}$`, 'u')

// The blocks of scripts that are written from right to left.
const rightToLeft =
	/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/** Letters of another width or style, which a person reads as plain ones, and a program does not. */
function isDressed(word: string): boolean {
	const plain = word.normalize('NFKC')
	return plain !== word && /^[\x21-\x7e]+$/.test(plain)
}

function isMixed(word: string): boolean {
	if (isDressed(word)) return true
	if (latin.test(word)) return others.test(word) || someLookalike.test(word)
	return allLookalikes.test(word)
}

/**
 * What a person can't see or could misread in `raw`. Honest emoji, tabs and line ends are not reported.
 * Costs one scan where there is nothing but ASCII.
 */
export function inspect(raw: string): Inspection {
	if (!patterns.notPlain.test(raw)) return { hidden: [], mixedScripts: [], rightToLeft: false }
	const hidden = new Set<string>()
	for (const [character] of raw.matchAll(patterns.hidden)) hidden.add(describe(character))
	const mixed = new Set<string>()
	for (const [word] of raw.matchAll(letters)) if (isMixed(word)) mixed.add(word)
	return {
		hidden: [...hidden],
		mixedScripts: [...mixed].map(revealText),
		rightToLeft: rightToLeft.test(raw),
	}
}

/** Whether nothing in `raw` is hidden or could be misread. */
export function isClear(raw: string): boolean {
	const { hidden, mixedScripts } = inspect(raw)
	return hidden.length === 0 && mixedScripts.length === 0
}
