import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import type { ListFrame, Pane } from '../frame.ts'
import { listTop } from '../layout.ts'
import type { ListRow } from '../present/session-list.ts'

/** Columns before each row, for the sign of the highlighted one. */
export const listMargin = 1

/** A list with one entry highlighted, scrolled so that it is in view. Rows leave the margin free. */
export function listPane(
	rows: readonly ListRow[],
	selected: string | null,
	options: { title: StyledLine; width: number; height: number; active: boolean },
): { pane: Pane; list: ListFrame } {
	const at = rows.findIndex(({ id }) => id !== null && id === selected)
	const top = listTop(Math.max(0, at), options.height, rows.length)
	const shown = rows.slice(top, top + options.height)
	const isSelected = (id: string | null) => id !== null && id === selected
	return {
		pane: {
			...options,
			rows: shown.map(({ id, line }) => ({
				line: [isSelected(id) ? span(safeText`▸`) : span(safeText` `), ...line],
				selected: isSelected(id),
			})),
		},
		list: {
			ids: rows.flatMap(({ id }) => (id === null ? [] : [id])),
			selected,
			height: options.height,
		},
	}
}
