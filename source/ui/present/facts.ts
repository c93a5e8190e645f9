import type { SafeText } from '../../text/safe-text.ts'
import { safeText } from '../../text/safe-text.ts'
import { padLine, type Style, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'

const labelColumns = 15

/** A label and what it stands for, broken wherever the line is full: nothing of it is left out. */
export function fact(
	label: SafeText,
	value: SafeText | StyledLine,
	width: number,
	style: Style = 'plain',
): StyledLine[] {
	const line = typeof value === 'string' ? [span(value, style)] : value
	return wrapLine(line, width, {
		first: padLine([span(safeText`  ${label}`, 'dim')], labelColumns),
		rest: padLine([], labelColumns),
	})
}

/** A sentence or more, indented by two columns. */
export function paragraph(text: SafeText, width: number, style: Style = 'plain'): StyledLine[] {
	const indent = [span(safeText`  `)]
	return wrapLine([span(text, style)], width, { first: indent, rest: indent })
}
