import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import type { LogEvent } from '../../viewer/devices.ts'
import { emptyScreen, type Model, type ScreenFrame } from '../frame.ts'
import { eventCard, eventLine } from '../present/device-history.ts'
import type { Size } from '../state.ts'
import { lazyListPane } from './lazy-list-pane.ts'
import { heightsFor, listAndCard } from './list-and-card.ts'
import { listMargin } from './list-pane.ts'

const known = new WeakMap<readonly LogEvent[], readonly string[]>()

/** The device log, newest entry first, and the highlighted one in full. */
export function historyScreen({ data, ui, now }: Model, size: Size): ScreenFrame {
	const { columns, rows } = size
	const { events, loading, error } = data.history
	const title = [span(safeText`device log`, 'strong')]
	if (events.length === 0) {
		const text = error === null ? waitText(loading) : safeText`  ✗ ${oneLine(error)}`
		const options = { title, width: columns, height: rows - 1, active: true }
		return { ...emptyScreen, panes: [{ ...options, rows: [{ line: [span(text, 'dim')] }] }] }
	}
	const chosen = events.findIndex(({ seq }) => String(seq) === ui.selectedEvent)
	const event = events[Math.max(0, chosen)]
	const heights = heightsFor(size, events.length)
	const list = lazyListPane(
		{
			ids: idsOf(events),
			row: (index) => {
				const each = events[index]
				return each ? eventLine(each, columns - listMargin, now) : []
			},
		},
		event ? String(event.seq) : null,
		{ title, width: columns, height: heights.list },
	)
	return listAndCard(list, {
		id: `event:${event?.seq}`,
		title: [span(safeText`entry ${event?.seq ?? 0}`, 'dim')],
		lines: event ? eventCard(event, columns, now) : [],
		top: ui.cardTops.get(`event:${event?.seq}`) ?? 0,
		height: heights.card,
	})
}

function waitText(loading: boolean): SafeText {
	return loading ? safeText`  … reading the log` : safeText`  The log has no entry.`
}

/** Made once for a log, not for each frame. */
function idsOf(events: readonly LogEvent[]): readonly string[] {
	const ids = known.get(events) ?? events.map(({ seq }) => String(seq))
	known.set(events, ids)
	return ids
}
