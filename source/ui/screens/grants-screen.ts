import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import type { Model, ScreenFrame } from '../frame.ts'
import { selectedGrant } from '../granting.ts'
import { grantCard, grantRows } from '../present/grant-lines.ts'
import type { Size } from '../state.ts'
import { heightsFor, listAndCard } from './list-and-card.ts'
import { listMargin, listPane } from './list-pane.ts'

/** What is allowed for the sessions that go on, and the highlighted rule below. */
export function grantsScreen(model: Model, { columns, rows }: Size): ScreenFrame {
	const { data, ui, now, keymap } = model
	const selected = selectedGrant(model)
	const listed = grantRows(data.grants, columns - listMargin)
	const heights = heightsFor({ columns, rows }, listed.length)
	const list = listPane(listed, selected?.id ?? null, {
		title: [span(safeText`allowed for sessions`, 'strong')],
		width: columns,
		height: selected ? heights.list : rows - 1,
		active: true,
	})
	if (!selected) return listAndCard(list, { id: 'grant', title: [], lines: [], top: 0, height: 0 })
	const id = `grant:${selected.id}`
	const title = [span(oneLine(selected.project ?? selected.agent), 'strong')]
	const lines = grantCard(selected, {
		sent: data.sent.get(selected.session) ?? [],
		width: columns,
		now,
		key: keymap.key('end-grant'),
	})
	const top = ui.cardTops.get(id) ?? 0
	return listAndCard(list, { id, title, lines, top, height: heights.card })
}
