import type { TextProps } from 'ink'
import type { Style } from '../text/styled.ts'

type Look = Pick<
	TextProps,
	'color' | 'bold' | 'dimColor' | 'italic' | 'underline' | 'inverse' | 'strikethrough'
>

/** How each role looks. Only the 16 colours of the terminal's own palette. */
export type Theme = Readonly<Record<Style, Look>>

const colourless: Theme = {
	plain: {},
	dim: { dimColor: true },
	strong: { bold: true },
	emphasis: { italic: true },
	struck: { strikethrough: true },
	code: {},
	keyword: { bold: true },
	name: {},
	string: {},
	number: {},
	comment: { dimColor: true, italic: true },
	heading: { bold: true, underline: true },
	link: { underline: true },
	quote: { italic: true },
	added: {},
	removed: { dimColor: true },
	addedWord: { bold: true },
	removedWord: { bold: true, dimColor: true },
	hunk: { dimColor: true },
	error: { bold: true },
	ok: {},
	warn: { bold: true },
	accent: { bold: true },
	prompt: { bold: true },
	thinking: { dimColor: true, italic: true },
	hidden: { inverse: true },
	alarm: { bold: true, inverse: true },
	match: { inverse: true },
	matchHere: { inverse: true, bold: true, underline: true },
}

const colours: Theme = {
	...colourless,
	code: { color: 'cyan' },
	keyword: { color: 'magenta' },
	name: { color: 'blue' },
	string: { color: 'green' },
	number: { color: 'yellow' },
	heading: { bold: true, color: 'magenta' },
	link: { underline: true, color: 'blue' },
	added: { color: 'green' },
	removed: { color: 'red' },
	addedWord: { color: 'green', inverse: true },
	removedWord: { color: 'red', inverse: true },
	hunk: { color: 'cyan', dimColor: true },
	error: { color: 'red', bold: true },
	ok: { color: 'green' },
	warn: { color: 'yellow', bold: true },
	accent: { color: 'cyan', bold: true },
	prompt: { color: 'blue', bold: true },
	hidden: { color: 'yellow', inverse: true },
	alarm: { color: 'red', bold: true, inverse: true },
	match: { inverse: true },
	matchHere: { color: 'yellow', inverse: true, bold: true, underline: true },
}

/** On a light background, where yellow and cyan can hardly be read. */
const onLight: Theme = {
	...colours,
	code: { color: 'blue' },
	name: { color: 'blue', bold: true },
	number: { color: 'red' },
	hunk: { color: 'blue', dimColor: true },
	warn: { color: 'magenta', bold: true },
	accent: { color: 'blue', bold: true },
	hidden: { color: 'magenta', inverse: true },
	matchHere: { color: 'magenta', inverse: true, bold: true, underline: true },
}

/** Of the 16 colours, those that are light: what a terminal says of its background in `COLORFGBG`. */
const lightColours: ReadonlySet<string | undefined> = new Set([
	'7',
	'9',
	'10',
	'11',
	'12',
	'13',
	'14',
	'15',
])

/** Whether everything is drawn without colour. */
export function isColourless(env: Readonly<Record<string, string | undefined>>): boolean {
	return themeFor(env) === colourless
}

/** Without colour where `NO_COLOR` is set to anything, or the terminal has none. */
export function themeFor(env: Readonly<Record<string, string | undefined>>): Theme {
	if (env.FORCE_COLOR === '0') return colourless
	if (env.NO_COLOR) return colourless
	if (env.TERM === 'dumb') return colourless
	return lightColours.has(env.COLORFGBG?.split(';').at(-1)) ? onLight : colours
}
