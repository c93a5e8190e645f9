import { displayText, type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, padLine, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { KeyContext } from '../keymap/command.ts'
import { type BoundCommand, groups, type Keymap } from '../keymap/keymap.ts'
import { placesOf, screenNames } from '../keymap/screen-names.ts'
import { keySymbol } from '../keys.ts'
import type { ScreenName } from '../state.ts'
import { keysText } from './footer.ts'

const keyColumns = (width: number) => (width < 60 ? 12 : 18)
/** From this width on the names of commands stand there, which the config file calls them by. */
const widthForIds = 76

const signs: readonly (readonly [string, string])[] = [
	['⚠', 'A permission request waits for an answer.'],
	['●', 'An agent is at work.'],
	['○', 'An agent waits for a prompt, or is starting.'],
	['?', 'Said to be running, but its host has been silent for a while.'],
	['✓', 'Verified: signed by the host, complete, in order.'],
	['✗', 'Failed, or could not be verified.'],
]

export interface HelpOptions {
	/** The screen that it was called from, and how things stood there. */
	of: ScreenName
	context: KeyContext
	keymap: Keymap
	/** Words that a key has to have to do with, or a key. */
	filter: string
	width: number
}

/** The keys of a screen, with what those lack that do not work just now; then every key there is. */
export function helpLines(options: HelpOptions): StyledLine[] {
	const { of, keymap, width } = options
	const found = keymap.commands.filter((command) => matches(command, options.filter))
	// Moving is known; what is done here comes first.
	const order = [...groups.filter((group) => group !== 'Move'), 'Move']
	const here = found
		.filter(({ screens }) => screens.includes(of))
		.toSorted((a, b) => order.indexOf(a.group) - order.indexOf(b.group))
	const lines = [
		...(here.length === 0 ? [] : hereLines(here, options)),
		...groups.flatMap((group) => {
			const members = found.filter((command) => command.group === group)
			return members.length === 0 ? [] : groupLines(group, members, width)
		}),
	]
	if (options.filter !== '') {
		const none = safeText`Nothing was found. esc shows every key.`
		return lines.length === 0 ? paragraph(none, width) : lines
	}
	return [
		...lines,
		heading(safeText`Signs`),
		...signs.flatMap(([sign, meaning]) => entry(displayText(sign), [words(meaning)], width)),
		emptyLine,
		...paragraph(
			safeText`A request can be allowed when all of it has been on the screen. Keys pressed in the first moment after a request appeared, or after the list moved, are not taken as an answer.`,
			width,
		),
		...paragraph(
			safeText`Other keys can be chosen in config.json, under "keys", by the name of the command: docs/viewer.md has them all.`,
			width,
		),
	]
}

/** One character looks for the key, more for what is said of it. */
function matches(command: BoundCommand, filter: string): boolean {
	const wanted = filter.trim()
	if (wanted === '') return true
	if (Array.from(wanted).length === 1) return command.keys.includes(wanted)
	const { keys, id, group, label, description } = command
	const text = [...keys, ...keys.map(keySymbol), id, group, label, description]
		.join(' ')
		.toLowerCase()
	return wanted
		.toLowerCase()
		.split(/\s+/)
		.every((word) => text.includes(word))
}

function hereLines(
	commands: readonly BoundCommand[],
	{ of, context, width }: HelpOptions,
): StyledLine[] {
	const standing = commands.map((command) => ({ command, enabled: command.enabled(context) }))
	const useful = standing.filter(({ enabled }) => enabled === true)
	const lacking = standing.filter(({ enabled }) => enabled !== true)
	return [
		heading(safeText`On this screen: ${displayText(screenNames[of])}`),
		...useful.flatMap(({ command }) =>
			entry(keysText(command.keys), [words(command.description)], width),
		),
		emptyLine,
		...(lacking.length === 0 ? [] : [heading(safeText`Here too, but not just now`)]),
		...lacking.flatMap(({ command, enabled }) => {
			const why =
				enabled === null || enabled === true ? [] : [span(safeText` ✗ ${enabled}`, 'warn')]
			const line = [span(displayText(command.description), 'dim'), ...why]
			return entry(keysText(command.keys), line, width, 'dim')
		}),
		...(lacking.length === 0 ? [] : [emptyLine]),
	]
}

function groupLines(group: string, commands: readonly BoundCommand[], width: number): StyledLine[] {
	return [
		heading(displayText(group)),
		...commands.flatMap(({ id, keys, screens, description }) => {
			const place = span(safeText` (${displayText(placesOf(screens))})`, 'dim')
			const name = width < widthForIds ? [] : [span(safeText` · ${displayText(id)}`, 'code')]
			return entry(keysText(keys), [words(description), place, ...name], width)
		}),
		emptyLine,
	]
}

const heading = (text: SafeText): StyledLine => [span(safeText`  ${text}`, 'strong')]
const words = (text: string) => span(displayText(text))

function entry(
	name: SafeText,
	line: StyledLine,
	width: number,
	style: 'accent' | 'dim' = 'accent',
): StyledLine[] {
	const first = [span(safeText`    ${name}  `, style)]
	return wrapLine(line, width, {
		first: padLine(first, keyColumns(width)),
		rest: padLine([], keyColumns(width)),
	})
}

function paragraph(text: SafeText, width: number): StyledLine[] {
	const indent = [span(safeText`  `)]
	return wrapLine([span(text, 'dim')], width, { first: indent, rest: indent })
}
