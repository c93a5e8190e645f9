import { displayText, joinText, type SafeText, safeText, sliceText } from '../../text/safe-text.ts'
import { lineWidth, padLine, type StyledLine, span } from '../../text/styled.ts'
import type { BoundCommand, KeyContext, Keymap } from '../keymap/keymap.ts'
import type { ScreenName, Size } from '../state.ts'
import { keyText } from './key-text.ts'

/** Widths from which on these are among the keys whatever else is: the way back, and who can read all this. */
const keptFrom: Readonly<Record<string, number>> = {
	help: 0,
	back: 0,
	'leave-replay': 0,
	quit: 40,
	devices: 60,
}

/** Screens with more keys than a line holds, unless it is a very long one. */
const full: ReadonlySet<ScreenName> = new Set([
	'sessions',
	'session',
	'permissions',
	'devices',
	'replay',
])
const longLine = 200
const gap = safeText`  `
/** Groups of keys that do nothing to what is on the screen. */
const elsewhere: ReadonlySet<string> = new Set(['Move', 'Look', 'Program'])
const roomyRows = 14

/** How many lines of keys a screen has: it does not change with what is on it, so nothing jumps. */
export function footerRows(screen: ScreenName, { columns, rows }: Size): 1 | 2 {
	return full.has(screen) && rows >= roomyRows && columns < longLine ? 2 : 1
}

/** The keys that are of use just now, the most useful first, in so many lines. Whole hints only; help is the last. */
export function footerLines(
	context: KeyContext,
	keymap: Keymap,
	{ columns, rows }: Size,
): StyledLine[] {
	const hints = hintsOf(context, keymap)
	const isKept = ({ id }: Hint) => columns >= (keptFrom[id] ?? Number.POSITIVE_INFINITY)
	const free = hints.filter((hint) => !isKept(hint))
	// The gap after the last one may be cut.
	const room = columns - 1 + gap.length
	const kept = keptBeside(hints.filter(isKept), rows < 2 ? free[0] : undefined, room)
	const beside = room - widthOf(kept)
	const lines = rows < 2 ? [fitting(free, beside)] : inTwo(free, room, beside)
	return lines.map((line, index) => {
		const shown = index === lines.length - 1 ? [...line, ...kept] : line
		return padLine(withoutGap([span(safeText` `), ...shown.flatMap((hint) => hint.line)]), columns)
	})
}

/** What a screen is for comes before the way back from it, where there is not room for both. */
function keptBeside(kept: readonly Hint[], first: Hint | undefined, room: number): Hint[] {
	const rest = [...kept]
	const fits = () => widthOf(rest) + (first ? lineWidth(first.line) : 0) <= room
	while (rest.length > 1 && !fits()) rest.splice(rest.length - 2, 1)
	return rest
}

function withoutGap(line: StyledLine): StyledLine {
	const last = line.at(-1)
	if (!last?.text.endsWith(gap)) return line
	return [...line.slice(0, -1), { ...last, text: sliceText(last.text, 0, -gap.length) }]
}

interface Hint {
	id: string
	line: StyledLine
	/** What it does is done to what is on the screen; else it moves, or shows something else. */
	acts: boolean
}

function hintsOf(context: KeyContext, keymap: Keymap): Hint[] {
	return keymap.commands
		.filter(({ footer, keys, screens }) => {
			return footer !== null && keys.length > 0 && screens.includes(context.screen.name)
		})
		.map((command) => ({ command, enabled: command.enabled(context) }))
		.filter(({ command, enabled }) => enabled === true || (enabled !== null && !command.quiet))
		.toSorted((a, b) => (a.command.footer ?? 0) - (b.command.footer ?? 0))
		.map(({ command, enabled }) => ({
			id: command.id,
			line: hint(keysOf(command, keymap), command.label, enabled === true),
			acts: command.id !== 'next-waiting' && !elsewhere.has(command.group),
		}))
}

/** The key that the footer names; of a pair both: `↑↓`, `[ ]`. */
function keysOf({ keys, pair }: BoundCommand, keymap: Keymap): SafeText {
	const own = keyText(keys[0] ?? '')
	const first = keymap.commands.find(({ id }) => id === pair)?.keys[0]
	if (first === undefined) return own
	return joinText([keyText(first), own], first === 'up' ? safeText`` : safeText` `)
}

const widthOf = (hints: readonly Hint[]) =>
	hints.reduce((width, { line }) => width + lineWidth(line), 0)

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

/** What acts above what moves, where all of it fits so; else the most useful ones above. */
function inTwo(hints: readonly Hint[], first: number, second: number): Hint[][] {
	const acting = hints.filter(({ acts }) => acts)
	const others = hints.filter(({ acts }) => !acts)
	if (acting.length > 0 && widthOf(acting) <= first && widthOf(others) <= second) {
		return [acting, others]
	}
	const above = fitting(hints, first)
	return [above, fitting(hints.slice(above.length), second)]
}

function hint(key: SafeText, label: string, works: boolean): StyledLine {
	return [
		span(key, works ? 'accent' : 'dim'),
		span(safeText` ${displayText(label)}${gap}`, works ? 'plain' : 'dim'),
	]
}

/** Keys of one command, for the help: `↑ k`. */
export function keysText(keys: readonly string[]): SafeText {
	if (keys.length === 0) return safeText`(no key)`
	if (keys.join('') === '123456789') return safeText`1 … 9`
	return joinText(keys.map(keyText), safeText` `)
}
