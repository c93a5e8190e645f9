/**
 * Text that may be shown. Whatever an agent, a server or another device wrote can hold sequences that
 * drive the terminal and characters that hide or reorder what stands beside them; nothing reaches the
 * screen but through one of the two policies here. `displayText` is for transcripts, `revealText` for what
 * a person decides on: it leaves nothing out.
 */
import { escapeCharacter, hiddenTags, isolatedMark, patterns, visibleMark } from './characters.ts'

declare const safe: unique symbol

/** Went through `displayText` or `revealText`: no control character but newline, nothing invisible. */
export type SafeText = string & { readonly [safe]: true }

// The only place that makes a SafeText: both policies end here.
const brand = (text: string) => text as SafeText

/** The empty text. */
export const noText = brand('')

/**
 * For transcripts. Escape sequences and control characters go, every kind of line end becomes a newline,
 * a tab four spaces; characters that hide or reorder text become visible marks such as `‹U+202E›`.
 * Idempotent. Plain ASCII costs one scan.
 */
export function displayText(raw: string): SafeText {
	if (!patterns.notPlain.test(raw)) return brand(raw)
	let text = raw
	if (patterns.introducer.test(text)) text = text.replace(patterns.sequence, '')
	text = text.replace(patterns.lineEnd, '\n').replaceAll('\t', '    ').replace(patterns.control, '')
	if (!patterns.notAscii.test(text)) return brand(text)
	return brand(
		text
			.toWellFormed()
			.replace(patterns.tags, hiddenTags)
			.replace(patterns.selectors, (run) => keptSelector(run))
			.replace(patterns.emojiJoiner, '')
			.replace(patterns.invisible, visibleMark)
			.replace(patterns.unassigned, '\ufffd')
			.replace(patterns.leadingMark, isolatedMark)
			.replace(patterns.surplusMarks, '$<kept>'),
	)
}

/** One variation selector picks a glyph; a run of them can only carry a hidden message. */
function keptSelector(run: string): string {
	const [first = ''] = run
	return run.length === first.length ? first : `${first}‹hidden selectors›`
}

/**
 * For commands, paths, names and fingerprints. Deletes nothing: what is not plainly visible is written
 * out as `\x1b`, `\r`, `\t`, `\u202e` or `\u{e0072}`; only the newline stays. Idempotent.
 */
export function revealText(raw: string): SafeText {
	if (!patterns.notPlain.test(raw)) return brand(raw)
	return brand(raw.replace(patterns.obscure, escapeAll))
}

/**
 * The text of `revealText` in pieces, so that what stands for a hidden character can be drawn otherwise
 * than the same letters in the text itself.
 */
export function revealPieces(raw: string): { text: SafeText; hidden: boolean }[] {
	const pieces: { text: SafeText; hidden: boolean }[] = []
	let end = 0
	for (const { 0: match, index } of patterns.notPlain.test(raw)
		? raw.matchAll(patterns.obscure)
		: []) {
		if (index > end) pieces.push({ text: brand(raw.slice(end, index)), hidden: false })
		pieces.push({ text: brand(escapeAll(match)), hidden: true })
		end = index + match.length
	}
	if (end < raw.length) pieces.push({ text: brand(raw.slice(end)), hidden: false })
	return pieces
}

function escapeAll(characters: string): string {
	return Array.from(characters, escapeCharacter).join('')
}

/** Puts safe texts together; numbers and our own literals are safe by themselves. */
export function safeText(
	strings: TemplateStringsArray,
	...values: readonly (SafeText | number)[]
): SafeText {
	return brand(strings.reduce((text, string, index) => `${text}${values[index - 1]}${string}`))
}

export function joinText(parts: readonly SafeText[], separator: SafeText = noText): SafeText {
	return brand(parts.join(separator))
}

export function repeatText(text: SafeText, count: number): SafeText {
	return brand(text.repeat(Math.max(0, count)))
}

/** Part of a safe text. `start` and `end` must not cut a character: use them at known places only. */
export function sliceText(text: SafeText, start: number, end?: number): SafeText {
	return brand(text.slice(start, end))
}

export function splitLines(text: SafeText): SafeText[] {
	return text.split('\n').map(brand)
}
