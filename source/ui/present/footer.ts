import { displayText, joinText, type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, padLine, type StyledLine, span } from '../../text/styled.ts'
import { commands, type KeyContext } from '../keymap.ts'
import { keyText } from './key-text.ts'

/** The keys that are of use just now, the most useful first. Whole hints only, help always among them. */
export function footerLine(context: KeyContext, columns: number): StyledLine {
	const hints = commands
		.filter(({ footer, screens }) => footer !== null && screens.includes(context.screen.name))
		.map((command) => ({ command, enabled: command.enabled(context) }))
		.filter(({ enabled }) => enabled !== null)
		.toSorted((a, b) => (a.command.footer ?? 0) - (b.command.footer ?? 0))
		.map(({ command, enabled }) => ({
			id: command.id,
			line: hint(command.keys[0] ?? '', command.label, enabled === true),
		}))
	const help = hints.find(({ id }) => id === 'help')
	let room = columns - 1 - (help ? lineWidth(help.line) : 0)
	const shown: StyledLine[] = []
	for (const { id, line } of hints) {
		if (id === 'help') continue
		if (lineWidth(line) > room) break
		room -= lineWidth(line)
		shown.push(line)
	}
	return padLine([span(safeText` `), ...shown.flat(), ...(help?.line ?? [])], columns)
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
