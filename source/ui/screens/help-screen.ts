import { safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import { emptyScreen, type ScreenFrame } from '../frame.ts'
import { helpLines } from '../present/help.ts'
import type { ScreenName, Size } from '../state.ts'
import { scrollPane } from './scroll-pane.ts'

/** The keys of the screen that it was called from. */
export function helpScreen(
	{ of, line }: { of: ScreenName; line: number },
	{ columns, rows }: Size,
): ScreenFrame {
	const height = rows - 1
	const lines = helpLines(of, columns)
	const pane = scrollPane(lines, line, { height })
	const title = [span(safeText`keys`, 'strong')]
	return {
		...emptyScreen,
		panes: [{ title, rows: pane.rows, width: columns, height, active: true }],
		card: { id: 'help', top: pane.top, height, total: pane.total },
	}
}
