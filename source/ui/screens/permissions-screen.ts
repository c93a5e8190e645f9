import { safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import type { RequestView } from '../../viewer/viewer.ts'
import { emptyScreen, type Model, type ScreenFrame } from '../frame.ts'
import { oneBelow, sideBySide, twoPaneColumns } from '../layout.ts'
import { requestRows } from '../present/request-list.ts'
import type { Size } from '../state.ts'
import { cardPane } from './card-pane.ts'
import { listMargin, listPane } from './list-pane.ts'

/** Requests of all sessions, and the highlighted one in full. */
export function permissionsScreen(model: Model, { columns, rows }: Size): ScreenFrame {
	const { requests } = model.data
	const selected = selectedRequest(model)
	const wide = columns >= twoPaneColumns
	const widths = wide ? sideBySide(columns) : { list: columns, rest: columns }
	const waiting = requests.filter(({ status }) => status === 'pending').length
	const listed = requestRows(requests, model.data.decisions, widths.list - listMargin, model.now)
	const heights = wide
		? { list: rows - 1, rest: rows - 1 }
		: oneBelow(rows, Math.max(3, listed.length))
	const list = listPane(listed, selected?.id ?? null, {
		title: [span(safeText`permission requests`, 'strong')],
		width: widths.list,
		height: selected ? heights.list : rows - 1,
		active: true,
		kept: waiting === 0 ? 0 : waiting + 1,
	})
	if (!selected) return { ...emptyScreen, panes: [list.pane], list: list.list }
	const { pane, card, shown } = cardPane(model, selected, {
		width: widths.rest,
		height: heights.rest,
		active: false,
	})
	return {
		...emptyScreen,
		panes: [list.pane, pane],
		direction: wide ? 'row' : 'column',
		list: list.list,
		card,
		focus: selected.status === 'pending' ? selected : null,
		shown: selected.status === 'pending' ? [shown] : [],
		order: requests
			.filter(({ status }) => status === 'pending')
			.map(({ id }) => id)
			.join(),
	}
}

/** The highlighted request: the one chosen, or the first in the list until one is. */
export function selectedRequest({ ui, data }: Pick<Model, 'ui' | 'data'>): RequestView | null {
	const chosen = data.requests.find(({ id }) => id === ui.selectedRequest)
	return chosen ?? data.requests[0] ?? null
}
