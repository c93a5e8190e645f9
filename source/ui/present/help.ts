import { displayText, safeText } from '../../text/safe-text.ts'
import { emptyLine, padLine, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import { commands, type Group, groups } from '../keymap/keymap.ts'
import type { ScreenName } from '../state.ts'
import { keysText } from './footer.ts'

const keyColumns = 18

const signs: readonly (readonly [string, string])[] = [
	['⚠', 'A permission request waits for an answer.'],
	['●', 'An agent is at work.'],
	['○', 'An agent waits for a prompt, or is starting.'],
	['?', 'Said to be running, but its host has been silent for a while.'],
	['✓', 'Verified: signed by the host, complete, in order.'],
	['✗', 'Failed, or could not be verified.'],
]

/** Every key of a screen, from the key table. */
export function helpLines(of: ScreenName, width: number): StyledLine[] {
	return [
		...groups.flatMap((group) => section(group, of, width)),
		[span(safeText`  Signs`, 'strong')],
		...signs.flatMap(([sign, meaning]) => entry(displayText(sign), meaning, width)),
		emptyLine,
		...paragraph(
			'A request can be allowed when all of it has been on the screen. Keys pressed in the first moment after a request appeared, or after the list moved, are not taken as an answer.',
			width,
		),
	]
}

function section(group: Group, of: ScreenName, width: number): StyledLine[] {
	const here = commands.filter((command) => command.group === group && command.screens.includes(of))
	if (here.length === 0) return []
	return [
		[span(safeText`  ${displayText(group)}`, 'strong')],
		...here.flatMap(({ keys, description }) => entry(keysText(keys), description, width)),
		emptyLine,
	]
}

function entry(
	name: ReturnType<typeof keysText>,
	description: string,
	width: number,
): StyledLine[] {
	const first = padLine([span(safeText`    ${name}`, 'accent')], keyColumns)
	return wrapLine([span(displayText(description))], width, {
		first,
		rest: padLine([], keyColumns),
	})
}

function paragraph(text: string, width: number): StyledLine[] {
	const indent = [span(safeText`  `)]
	return wrapLine([span(displayText(text), 'dim')], width, { first: indent, rest: indent })
}
