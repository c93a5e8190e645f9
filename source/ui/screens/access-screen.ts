import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import type { AccessRow } from '../../viewer/devices.ts'
import { emptyScreen, type Model, type ScreenFrame } from '../frame.ts'
import { accessCard, matrixHead, matrixRow } from '../present/access-matrix.ts'
import { deviceOrder } from '../present/device-list.ts'
import { sessionName } from '../present/session-row.ts'
import type { Size } from '../state.ts'
import { lazyListPane } from './lazy-list-pane.ts'
import { heightsFor, listAndCard } from './list-and-card.ts'
import { listMargin } from './list-pane.ts'

const known = new WeakMap<readonly AccessRow[], readonly string[]>()

/** Devices by sessions, and who gave the keys of the highlighted session to whom. */
export function accessScreen(model: Model, size: Size): ScreenFrame {
	const { data, ui, now } = model
	const { columns } = size
	const { rows, complete, loading, error } = data.access
	const devices = deviceOrder(data.devices)
	const title = [
		span(safeText`access`, 'strong'),
		span(
			complete
				? safeText`  ${rows.length} in all`
				: safeText`  ${rows.length} so far${loading ? safeText` …` : safeText``}`,
			'dim',
		),
		...(error === null ? [] : [span(safeText`  ✗ ${oneLine(error)}`, 'error')]),
	]
	if (rows.length === 0) {
		const text = loading ? safeText`  … reading` : safeText`  No session has a key yet.`
		const pane = { title, width: columns, height: size.rows - 1, active: true }
		return { ...emptyScreen, panes: [{ ...pane, rows: [{ line: [span(text, 'dim')] }] }] }
	}
	const chosen = rows.findIndex(({ session }) => session === ui.selectedAccess)
	const row = rows[Math.max(0, chosen)]
	const heights = heightsFor(size, rows.length + 1)
	const width = columns - listMargin
	const names = nameOf(model)
	const list = lazyListPane(
		{
			ids: idsOf(rows),
			row: (index) => {
				const each = rows[index]
				return each ? matrixRow(each, names(each.session), devices, width) : []
			},
		},
		row?.session ?? null,
		{ title, width: columns, height: heights.list, head: [matrixHead(devices, width)] },
	)
	return listAndCard(list, {
		id: `access:${row?.session}`,
		title: [span(row ? names(row.session) : safeText``, 'dim')],
		lines: accessCard(row ?? null, devices, columns, now),
		top: ui.cardTops.get(`access:${row?.session}`) ?? 0,
		height: heights.card,
	})
}

/** What sessions are called: by their project or title where those are known, else by the start of the id. */
export function nameOf({ data }: Pick<Model, 'data'>): (session: string) => SafeText {
	return (session) => {
		const summary = data.sessions.find(({ id }) => id === session)
		return summary ? sessionName(summary) : oneLine(session.slice(0, 8))
	}
}

/** Made once for a list, not for each frame. */
function idsOf(rows: readonly AccessRow[]): readonly string[] {
	const ids = known.get(rows) ?? rows.map(({ session }) => session)
	known.set(rows, ids)
	return ids
}
