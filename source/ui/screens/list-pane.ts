import type { StyledLine } from '../../text/styled.ts'
import type { ListFrame, Pane } from '../frame.ts'
import { listTop } from '../layout.ts'
import type { ListRow } from '../present/session-list.ts'

/** A list with one entry highlighted, scrolled so that it is in view. */
export function listPane(
	rows: readonly ListRow[],
	selected: string | null,
	options: { title: StyledLine; width: number; height: number; active: boolean },
): { pane: Pane; list: ListFrame } {
	const at = rows.findIndex(({ id }) => id !== null && id === selected)
	const top = listTop(Math.max(0, at), options.height, rows.length)
	const shown = rows.slice(top, top + options.height)
	return {
		pane: {
			...options,
			rows: shown.map(({ id, line }) => ({ line, selected: id !== null && id === selected })),
		},
		list: {
			ids: rows.flatMap(({ id }) => (id === null ? [] : [id])),
			selected,
			height: options.height,
		},
	}
}
