import { modeName } from '../../protocol/mode-name.ts'
import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { unaskedIn } from '../../viewer/modes.ts'
import type { SessionFacts } from '../../viewer/viewer.ts'
import { listTop } from '../layout.ts'
import type { Size } from '../state.ts'

/** The modes that a session takes, the highlighted one among them: as many as there is room for. */
export function modeLines(
	{ takes, mode, asks }: SessionFacts,
	{ selected, agent }: { selected: string; agent: string },
	{ columns, rows }: Size,
): StyledLine[] {
	const modes = takes?.modes ?? []
	const height = Math.max(1, Math.floor(rows / 3))
	const top = listTop(modes.indexOf(selected), height, modes.length)
	return modes.slice(top, top + height).map((name) => {
		const mark = name === selected ? span(safeText` ▸ `, 'accent') : span(safeText`   `)
		const now = name === mode ? [span(safeText`  (now)`, 'dim')] : []
		const unasked = name === mode && asks === false ? 'everything' : unaskedIn(name)
		const warning = unasked === null ? [] : [span(warnings[unasked], 'warn')]
		const style = name === selected ? 'strong' : 'plain'
		return truncateLine(
			[mark, span(oneLine(modeName(agent, name)), style), ...now, ...warning],
			columns,
		)
	})
}

const warnings: Readonly<Record<'everything' | 'edits', SafeText>> = {
	everything: safeText`  ⚠ nobody is asked in this mode`,
	edits: safeText`  ⚠ edits are made unasked in this mode`,
}
