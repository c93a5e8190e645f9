/** Which characters may not reach the screen as they are, and what is shown in their place. */

// Visible signs among the format characters: Arabic number signs and the like.
const visibleFormat = String.raw`\u{600}-\u{605}\u{6dd}\u{890}\u{891}\u{8e2}\u{110bd}\u{110cd}`
const selector = String.raw`\u{fe00}-\u{fe0f}`
const invisible = String.raw`[[\p{Cf}\p{Default_Ignorable_Code_Point}]--[${visibleFormat}${selector}]]`
const oddSpace = String.raw`[\p{Zs}--[ ]]`
// Reserved code points are no pictographs yet: they are shown as what they are.
const pictograph = String.raw`[\p{Extended_Pictographic}--\p{Cn}]`
const emojiPart = String.raw`${pictograph}[\u{fe0f}\u{1f3fb}-\u{1f3ff}]?`
// Picks the emoji form of a pictograph or a keycap: seen, and common in honest text.
const emojiSelector = String.raw`(?<=${pictograph}|[0-9#*](?=\ufe0f\u20e3))[\ufe0e\ufe0f](?![${selector}])`
const emojiJoiner = String.raw`(?<=${emojiPart})\u200d(?=${pictograph})`
const unclear = String.raw`[[\p{C}--[\n${visibleFormat}]]${invisible}${oddSpace}\p{Zl}\p{Zp}\u{2800}${selector}]`
// Combining marks with nothing to stand on, or stacked over their neighbours.
const badMarks = String.raw`^\p{M}+|(?<=\p{M}{4})\p{M}+`

// CSI, then the string sequences, which end at ST, BEL, the next ESC or a line's end and never swallow
// more; then the two- and three-byte escapes. 7-bit and 8-bit forms.
const csi = String.raw`(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?`
const string = String.raw`(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n\r]*(?:\x07|\x9c|\x1b\\)?`
const shortEscape = String.raw`\x1b[\x20-\x2f]*[\x30-\x7e]?`

/** The sets of all characters take a while to put together: not before the first text that is not plain. */
function once(make: () => RegExp): () => RegExp {
	let made: RegExp | null = null
	return () => {
		made ??= make()
		return made
	}
}

const rare = {
	selectors: once(() => new RegExp(`[${selector}]+`, 'gv')),
	emojiJoiner: once(() => new RegExp(emojiJoiner, 'gv')),
	invisible: once(() => new RegExp(invisible, 'gv')),
	obscure: once(() => new RegExp(`(?:(?!${emojiSelector})${unclear})+|${badMarks}`, 'gmv')),
	hidden: once(
		() =>
			new RegExp(
				String.raw`(?!${emojiSelector}|${emojiJoiner}|\t|\r\n)(?:${unclear}|${badMarks})`,
				'gmv',
			),
	),
}

export const patterns = {
	notPlain: /[^\n\x20-\x7e]/,
	notAscii: /[^\n\x20-\x7e]/,
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
	introducer: /[\x1b\x80-\x9f]/,
	sequence: new RegExp(`${csi}|${string}|${shortEscape}`, 'g'),
	lineEnd: /\r\n?|[\v\f\x85\u2028\u2029]/g,
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
	control: /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g,
	tags: /[\u{e0000}-\u{e0fff}]+/gu,
	get selectors() {
		return rare.selectors()
	},
	get emojiJoiner() {
		return rare.emojiJoiner()
	},
	get invisible() {
		return rare.invisible()
	},
	unassigned: /[\p{Co}\p{Cn}]/gu,
	leadingMark: /^\p{M}/gmu,
	surplusMarks: /(?<kept>\p{M}{4})(?<surplus>\p{M}+)/gu,
	get obscure() {
		return rare.obscure()
	},
	/** As `obscure`, but without what honest text holds: tabs, line ends, emoji. */
	get hidden() {
		return rare.hidden()
	},
}

export const hiddenTags = '‹hidden tags›'

/** `U+202E` */
export function codePointName(character: string): string {
	const code = character.codePointAt(0) ?? 0
	return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

export function visibleMark(character: string): string {
	return `‹${codePointName(character)}›`
}

/** A mark with nothing to stand on would join what our own interface shows before it. */
export function isolatedMark(mark: string): string {
	return `◌${mark}`
}

/** `\r`, `\x1b`, `\u202e`, `\u{e0072}` */
export function escapeCharacter(character: string): string {
	if (character === '\r') return '\\r'
	if (character === '\t') return '\\t'
	const code = character.codePointAt(0) ?? 0
	const hex = code.toString(16)
	if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
	return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}
