import { displayText, safeText } from '../../text/safe-text.ts'
import { emptyLine, padLine, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import { commands } from '../keymap.ts'
import type { ScreenName } from '../state.ts'
import { keysText } from './footer.ts'

const keyColumns = 14

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
	const here = commands.filter(({ screens }) => screens.includes(of))
	return [
		...here.flatMap(({ keys, description }) => entry(keysText(keys), description, width)),
		emptyLine,
		[span(safeText`Signs`, 'heading')],
		...signs.flatMap(([sign, meaning]) => entry(displayText(sign), meaning, width)),
		emptyLine,
		...paragraph(
			'A request can be allowed when all of it has been on the screen. Keys pressed in the first moment after a request appeared, or after the list moved, are not taken as an answer.',
			width,
		),
	]
}

function entry(
	name: ReturnType<typeof keysText>,
	description: string,
	width: number,
): StyledLine[] {
	const first = padLine([span(safeText`  ${name}`, 'accent')], keyColumns)
	return wrapLine([span(displayText(description))], width, {
		first,
		rest: padLine([], keyColumns),
	})
}

function paragraph(text: string, width: number): StyledLine[] {
	return wrapLine([span(displayText(text), 'dim')], width)
}
