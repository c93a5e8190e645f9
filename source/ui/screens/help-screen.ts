import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import { emptyScreen, type ScreenFrame } from '../frame.ts'
import type { KeyContext } from '../keymap/command.ts'
import type { Keymap } from '../keymap/keymap.ts'
import { editText } from '../line-edit.ts'
import { helpLines } from '../present/help.ts'
import { remember } from '../remember.ts'
import type { Screen, Size } from '../state.ts'
import { scrollPane } from './scroll-pane.ts'

/** By how things stood when it was called: it shows no more until it is left. */
const laidOut = new WeakMap<KeyContext, Map<string, readonly StyledLine[]>>()

/** Every key, those of the screen that it was called from first; `top`: where what is looked for is typed. */
export function helpScreen(
	{ of, line, filter, context }: Extract<Screen, { name: 'help' }>,
	top: Screen,
	keymap: Keymap,
	{ columns, rows }: Size,
): ScreenFrame {
	const height = rows - 1
	const wanted = top.name === 'help-filter' ? editText(top.edit) : filter
	const lines = remember(
		remember(laidOut, context, () => new Map<string, readonly StyledLine[]>()),
		`${columns} ${wanted}`,
		() => helpLines({ of, context, keymap, filter: wanted, width: columns }),
	)
	const pane = scrollPane(lines, line, { height })
	const title = [
		span(safeText`all keys`, 'strong'),
		...(filter === '' ? [] : [span(safeText` · ${oneLine(filter)}`, 'accent')]),
	]
	return {
		...emptyScreen,
		panes: [{ title, rows: pane.rows, width: columns, height, active: true }],
		card: { id: 'help', top: pane.top, height, total: pane.total },
	}
}
