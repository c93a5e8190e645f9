import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { Sender } from '../../viewer/viewer.ts'

/** Under a prompt that came from another device: from which one, and whether that is proved. */
export function promptFrom(sender: Sender | null, width: number): StyledLine[] {
	const bar = [span(safeText`▌ `, 'prompt')]
	const line: StyledLine = sender
		? fromSpans(sender)
		: [span(safeText`sent from a device: which one is not proved in what is loaded`, 'dim')]
	return wrapLine(line, width, { first: bar, rest: bar })
}

/** What a device had the agent do, in one line. */
export function sentSpans(sender: Sender): StyledLine {
	return [span(safeText`· ${what(sender)} `, 'dim'), ...fromSpans(sender)]
}

function fromSpans({ name, device, verified }: Sender): StyledLine {
	const from = span(safeText`from ${oneLine(name ?? device)}`, 'dim')
	return [
		from,
		verified
			? span(safeText` ✓ signature checked`, 'dim')
			: span(safeText` ✗ NOT signed by it`, 'error'),
	]
}

function what({ kind, text }: Sender): SafeText {
	const said = text === null ? safeText`` : safeText` ${oneLine(text)}`
	switch (kind) {
		case 'prompt':
			return safeText`prompt${said}`
		case 'interrupt':
			return safeText`interrupted`
		case 'mode':
			return safeText`mode changed to${said}`
		case 'take_back':
			return safeText`taken back what was allowed for the session`
	}
}
