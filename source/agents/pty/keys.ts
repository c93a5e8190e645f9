/** Keys on their way to an agent: what a terminal says by itself, and texts that are typed for a person. */

const esc = '\u001B'

/** What a terminal sends by itself: answers to questions about it, and whether it has the focus. */
const report = new RegExp(
	`${esc}(?:\\[[?>=]?[\\d;]*(?:[Rcn]|\\$y)|\\[\\?[\\d;]*u|\\[\\d+(?:;\\d+)*t|\\[[IO]|[P\\]][^\\u0007${esc}]*(?:\\u0007|${esc}\\\\))`,
	'g',
)

/** The part of some input that no person typed. One character stands for one byte. */
export function reportsIn(input: string): string {
	return (input.match(report) ?? []).join('')
}

/** Whether the input is that one key which puts a program in the background: ctrl-z, in both encodings. */
export function isSuspendKey(input: string): boolean {
	return input === '\u001A' || input === `${esc}[122;5u`
}

/**
 * A text as a terminal pastes it. What would end the paste or act as a key is left out; where the agent
 * doesn't take marked pastes, a line's end becomes a space, since it would send the half of the text.
 */
export function asPaste(text: string, bracketed: boolean): string {
	const lines = text
		.replace(/\r\n?/g, '\n')
		// Control characters are what is left out here.
		.replace(/[^\P{Cc}\n\t]/gu, '')
	return bracketed ? `${esc}[200~${lines}${esc}[201~` : lines.replace(/[\n\t]/g, ' ')
}
