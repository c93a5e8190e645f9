import { safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import { emptyScreen, type Model, type ScreenFrame } from '../frame.ts'
import type { Size } from '../state.ts'
import { cardPane } from './card-pane.ts'

/** One request over the whole screen. */
export function requestScreen(model: Model, id: string, { columns, rows }: Size): ScreenFrame {
	const request = model.data.requests.find((each) => each.id === id)
	const options = { width: columns, height: rows - 1, active: true }
	if (!request) {
		const line = [span(safeText`This request is no longer known here.`, 'dim')]
		return { ...emptyScreen, panes: [{ ...options, title: [], rows: [{ line }] }] }
	}
	const { pane, card, shown } = cardPane(model, request, options)
	const pending = request.status === 'pending'
	return {
		...emptyScreen,
		panes: [pane],
		card,
		focus: pending ? request : null,
		shown: pending ? [shown] : [],
		order: id,
	}
}
