/** What may go to a terminal: our own sequences, and nothing else that acts on it. */

const esc = '\\u001B'
const own = new RegExp(
	[
		// Colours and looks, but neither blinking nor concealed.
		`${esc}\\[(?:(?:[0-479]|2[2-79]|3[0-79]|4[0-79]|9[0-7]|10[0-7])(?:;(?=\\d))?)*m`,
		// Moving, erasing; cursor, frames, alternate screen, bracketed paste, the mouse off; what the terminal can do.
		`${esc}\\[\\d*(?:;\\d*)?[ABCDEFGHJK]`,
		`${esc}\\[\\?(?:(?:25|1049|2004|2026)[hl]|100[06]l)`,
		`${esc}\\[(?:\\?u|[<>=][\\d;]*u|c)`,
		// The title: kept, ours, given back.
		`${esc}\\[2[23];2t`,
		`${esc}\\]2;(?:\\(\\d+\\) )?styrby\\u0007`,
		// That something waits, in words of ours.
		`${esc}\\]9;(?:An agent asks for permission|Agents ask for permission: \\d+ requests wait)\\u0007`,
	].join('|'),
	'g',
)

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const acting = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]/
const unseen = /[\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad\u{e0000}-\u{e0fff}]/u

/** The first part of what was written that is not ours, with what follows; `null` when all is. */
export function foreign(written: string): string | null {
	// Rings of our own stand alone, between frames.
	const rest = written.replace(own, '').replaceAll('\u0007', '')
	const at = rest.search(acting)
	const hidden = rest.search(unseen)
	const found = at < 0 ? hidden : at
	return found < 0 ? null : JSON.stringify(rest.slice(found, found + 80))
}
