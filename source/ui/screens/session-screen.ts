import { emptyScreen, type Model, type ScreenFrame } from '../frame.ts'
import { sideBySide, twoPaneColumns } from '../layout.ts'
import type { Size } from '../state.ts'
import { listOf } from './sessions-screen.ts'
import { transcriptPane } from './transcript-pane.ts'

/** One session, live or past; where there is room, with the list beside it. */
export function sessionScreen(model: Model, session: string, { columns, rows }: Size): ScreenFrame {
	const order = model.data.requests
		.filter(({ session: of, status }) => of === session && status === 'pending')
		.map(({ id }) => id)
		.join()
	if (columns < twoPaneColumns) {
		const options = { width: columns, height: rows - 1, active: true }
		const { pane, transcript, focus, shown } = transcriptPane(model, session, options)
		return { ...emptyScreen, panes: [pane], transcript, focus, shown, order }
	}
	const widths = sideBySide(columns)
	const list = listOf(model, session, { width: widths.list, height: rows - 1, active: false })
	const options = { width: widths.rest, height: rows - 1, active: true }
	const { pane, transcript, focus, shown } = transcriptPane(model, session, options)
	return { ...emptyScreen, panes: [list.pane, pane], transcript, focus, shown, order }
}
