import { displayText, joinText, type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, padLine, type StyledLine, span } from '../../text/styled.ts'
import { commands, type KeyContext } from '../keymap/keymap.ts'
import type { ScreenName } from '../state.ts'
import { keyText } from './key-text.ts'

/** From this width on, who can read all this is among the keys whatever else is. */
const widthForDevices = 60
/** Screens whose keys are not known by heart: they get a second line where one is not enough. */
const rarely: ReadonlySet<ScreenName> = new Set(['devices'])

/** The keys that are of use just now, the most useful first. Whole hints only, help always among them. */
export function footerLine(context: KeyContext, columns: number): StyledLine {
	return footerLines(context, columns, 1)[0] ?? []
}

/** The same in at most so many lines: one, but for screens that are seldom seen. */
export function footerLines(context: KeyContext, columns: number, rows: number): StyledLine[] {
	const hints = hintsOf(context)
	const kept = hints.filter(
		({ id }) => id === 'help' || (id === 'devices' && columns >= widthForDevices),
	)
	const free = hints.filter((hint) => !kept.includes(hint))
	const last = kept.flatMap(({ line }) => line)
	const room = columns - 1
	const one = fitting(free, room - lineWidth(last))
	const lines =
		one.length === free.length || rows < 2 || !rarely.has(context.screen.name)
			? [one]
			: splitTwo(free, room, room - lineWidth(last))
	return lines.map((line, index) =>
		padLine(
			[
				span(safeText` `),
				...line.flatMap((hint) => hint.line),
				...(index === lines.length - 1 ? last : []),
			],
			columns,
		),
	)
}

interface Hint {
	id: string
	line: StyledLine
}

function hintsOf(context: KeyContext): Hint[] {
	return commands
		.filter(({ footer, screens }) => footer !== null && screens.includes(context.screen.name))
		.map((command) => ({ command, enabled: command.enabled(context) }))
		.filter(({ command, enabled }) => enabled === true || (enabled !== null && !command.quiet))
		.toSorted((a, b) => (a.command.footer ?? 0) - (b.command.footer ?? 0))
		.map(({ command, enabled }) => ({
			id: command.id,
			line: hint(command.keys[0] ?? '', command.label, enabled === true),
		}))
}

/** The first hints that fit. */
function fitting(hints: readonly Hint[], room: number): Hint[] {
	let left = room
	const shown: Hint[] = []
	for (const hint of hints) {
		left -= lineWidth(hint.line)
		if (left < 0) break
		shown.push(hint)
	}
	return shown
}

function splitTwo(hints: readonly Hint[], first: number, second: number): Hint[][] {
	const above = fitting(hints, first)
	return [above, fitting(hints.slice(above.length), second)]
}

function hint(key: string, label: string, works: boolean): StyledLine {
	return [
		span(keyText(key), works ? 'accent' : 'dim'),
		span(safeText` ${displayText(label)}  `, works ? 'plain' : 'dim'),
	]
}

/** Keys of one command, for the help: `↑ k`. */
export function keysText(keys: readonly string[]): SafeText {
	return joinText(keys.map(keyText), safeText` `)
}
