import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import type { Row } from '../components/rows.tsx'
import type { ListFrame, Pane } from '../frame.ts'
import { listTop } from '../layout.ts'

/** A list of any length, of which only the rows on the screen are made. */
export function lazyListPane(
	{ ids, row }: { ids: readonly string[]; row: (index: number) => StyledLine },
	selected: string | null,
	options: { title: StyledLine; width: number; height: number; head?: readonly StyledLine[] },
): { pane: Pane; list: ListFrame } {
	const { head = [], ...rest } = options
	const height = Math.max(1, options.height - head.length)
	const at = selected === null ? 0 : Math.max(0, ids.indexOf(selected))
	const top = listTop(at, height, ids.length)
	const shown = ids.slice(top, top + height)
	return {
		pane: {
			...rest,
			active: true,
			rows: [
				...head.map((line): Row => ({ line: [span(safeText` `), ...line] })),
				...shown.map((id, offset): Row => {
					const chosen = id === selected
					const mark = chosen ? span(safeText`▸`) : span(safeText` `)
					return { line: [mark, ...row(top + offset)], selected: chosen, id }
				}),
			],
		},
		list: { ids, selected, height },
	}
}
