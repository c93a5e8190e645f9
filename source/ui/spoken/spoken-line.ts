/** A styled line as it is read out: words in the place of signs, nothing that is only drawn. */
import { lineText, type StyledLine } from '../../text/styled.ts'

/** What the signs of the screens mean, in words. A sign that stands beside its word is left out. */
const words: readonly (readonly [RegExp, string])[] = [
	[/✓/g, 'ok'],
	[/✗/g, 'failed:'],
	[/⚠/g, 'attention:'],
	[/✻/g, 'thinking:'],
	[/⚙/g, 'tool:'],
	[/✎/g, 'edit:'],
	[/▌/g, 'prompt:'],
	[/▐/g, 'selected:'],
	[/▸\s*$/g, '(folded)'],
	[/▾\s*$/g, '(unfolded)'],
	[/[☑☒]/g, 'done:'],
	[/☐/g, 'to do:'],
	[/\(•\)|\[x\]/g, 'chosen:'],
	[/\( \)|\[ \]/g, 'not chosen:'],
	[/⏎/g, 'enter'],
	[/↑/g, 'up'],
	[/↓/g, 'down'],
	[/←/g, 'left'],
	[/→/g, 'right'],
	[/\^(?=[a-z]\b)/g, 'ctrl-'],
	[/·/g, ','],
	[/[▸▶●○◆◐]/g, ''],
	[/[─━│┃┬┌┐└┘├┤┴┼╭╮╰╯█▏▎▍▋▊▉░▒▓]+/g, ''],
]

export function spokenLine(line: StyledLine): string {
	return spokenText(lineText(line))
}

export function spokenText(text: string): string {
	const said = words.reduce((rest, [sign, word]) => rest.replace(sign, word), text)
	return said.trim().replace(/ +,/g, ',').replace(/ {3,}/g, '  ')
}

/** A row of columns: what stands apart on the screen is heard apart. */
export function spokenRow(line: StyledLine): string {
	return spokenLine(line).replace(/,? {2,}/g, ', ')
}

/** What an agent asks, as it is: no sign in it is ours. */
export function quotedLine(line: StyledLine): string {
	return lineText(line)
		.replace(/^\s*│ ?/, '')
		.trimEnd()
}

/** What an agent wrote stands right of this sign, and of nothing else. */
export function isQuoted(line: StyledLine): boolean {
	return line.find(({ text }) => text.trim() !== '')?.text.trim() === '│'
}

const ownWords =
	/^\W*(?:(?:screen|now|keys(?: for it)?|attention|failed|thinking|tool|edit|prompt|selected|done|to do|(?:not )?chosen):|word for word:|end of that\b|ok\b)/i
const ownSign = new RegExp(`^\\s*(?:${words.map(([sign]) => sign.source).join('|')}|[>|])`)

/** Whether what an agent wrote would be heard as if it were the program's. */
export function soundsLikeOurs(line: StyledLine): boolean {
	const text = lineText(line)
	return ownWords.test(text) || ownSign.test(text)
}
