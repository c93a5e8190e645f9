import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import type { Row } from '../components/rows.tsx'
import type { ListFrame, Pane } from '../frame.ts'
import { listTop } from '../layout.ts'
import type { LazyRows, ListRow } from '../present/session-list.ts'

/** Columns before each row, for the sign of the highlighted one. */
export const listMargin = 1

/** A list with one entry highlighted, scrolled so that it is in view. Rows leave the margin free. */
export function listPane(
	rows: readonly ListRow[],
	selected: string | null,
	options: {
		title: StyledLine
		width: number
		height: number
		active: boolean
		/** Rows at the top that stay in view, as far as half of the list holds them. */
		kept?: number
	},
): { pane: Pane; list: ListFrame } {
	const { kept = 0, ...pane } = options
	const at = rows.findIndex(({ id }) => id !== null && id === selected)
	const pinned = at < kept ? 0 : Math.min(kept, options.height >> 1)
	const rest = rows.slice(pinned)
	const height = options.height - pinned
	const top = listTop(Math.max(0, at - pinned), height, rest.length)
	const shown = [...rows.slice(0, pinned), ...rest.slice(top, top + height)]
	return {
		pane: { ...pane, rows: markedRows(shown, selected) },
		list: {
			ids: rows.flatMap(({ id }) => (id === null ? [] : [id])),
			selected,
			height: options.height,
		},
	}
}

/** The same, where only the rows on the screen are made; `shown`: the entries that they are of. */
export function lazyRowsPane(
	rows: LazyRows,
	selected: string | null,
	options: { title: StyledLine; width: number; height: number; active: boolean },
): { pane: Pane; shown: readonly string[] } {
	const at = selected === null ? 0 : (rows.rowOf(selected) ?? 0)
	const top = wholeEntries(rows, listTop(at, options.height, rows.total))
	const shown = rows.slice(top, top + options.height)
	return {
		pane: { ...options, rows: markedRows(shown, selected) },
		shown: [...new Set(shown.flatMap(({ id }) => (id === null ? [] : [id])))],
	}
}

/** The first row that is not the rest of an entry above it. */
function wholeEntries(rows: LazyRows, top: number): number {
	const [before, first] = top === 0 ? [] : rows.slice(top - 1, top + 1)
	return first && first.id !== null && before?.id === first.id ? top + 1 : top
}

/** The highlighted entry, of one row or more, has its sign in the first. */
function markedRows(rows: readonly ListRow[], selected: string | null): Row[] {
	return rows.map(({ id, line }, index) => {
		const chosen = id !== null && id === selected
		const first = rows[index - 1]?.id !== id
		const sign = chosen && first ? safeText`▸` : safeText` `
		const row = { line: [span(sign), ...line], selected: chosen }
		return id === null ? row : { ...row, id }
	})
}
