/** What the mouse does: it scrolls and highlights, and nothing else. */
import type { App } from './app.ts'
import { selectItem } from './folding.ts'
import type { Frame, Pane } from './frame.ts'
import type { MouseAct } from './mouse.ts'
import { moveCard, moveList, moveTranscript, selectInList } from './moving.ts'

/** Lines that a notch of the wheel scrolls. */
const notch = 3

export function point(app: App, act: MouseAct): void {
	const { seen } = app
	const at = paneAt(seen, act)
	if (!at || seen.tooSmall) return
	const isList = seen.list !== null && at.index === 0
	// Beside what is read there may be a list that only shows where one is.
	if (!isList && at.index !== seen.panes.length - 1) return
	if (act.type === 'wheel') {
		if (isList) moveList(app, act.by)
		else if (seen.card) moveCard(app, act.by * notch)
		else if (seen.transcript) moveTranscript(app, act.by * notch)
		return
	}
	const row = at.pane.rows[at.row]
	if (row?.id === undefined) return
	if (isList) selectInList(app, row.id)
	else if (seen.transcript?.selectable.includes(row.id) && at.pane.active) selectItem(app, row.id)
}

/** The pane under the pointer, and the row of its content there; -1 is its title. */
export function paneAt(
	frame: Pick<Frame, 'panes' | 'notices' | 'direction'>,
	{ column, row }: { column: number; row: number },
): { pane: Pane; index: number; row: number } | null {
	let x = 0
	let y = 1 + frame.notices.length
	for (const [index, pane] of frame.panes.entries()) {
		const inside = column >= x && column < x + pane.width && row >= y && row < y + pane.height + 1
		if (inside) return { pane, index, row: row - y - 1 }
		if (frame.direction === 'row') x += pane.width + 1
		else y += pane.height + 1
	}
	return null
}
