import { safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { RequestView } from '../../viewer/viewer.ts'
import { type Arranged, arranged, selectedSession } from '../arranged-sessions.ts'
import { emptyScreen, type ListFrame, type Model, type Pane, type ScreenFrame } from '../frame.ts'
import { oneBelow, sideBySide, twoPaneColumns } from '../layout.ts'
import { firstRunLines } from '../present/first-run.ts'
import { mayRepeat } from '../present/ladder.ts'
import { listTitle } from '../present/list-title.ts'
import { sessionRows } from '../present/session-list.ts'
import { pendingRequests } from '../snapshot.ts'
import type { Size } from '../state.ts'
import { cardPane } from './card-pane.ts'
import { lazyRowsPane, listMargin } from './list-pane.ts'
import { scrollPane } from './scroll-pane.ts'
import { transcriptPane } from './transcript-pane.ts'

/** Content rows from which on the highlighted session is shown below the list. */
const previewRows = 14

/** The list of sessions; beside it the highlighted one, or below it what that one waits for. */
export function sessionsScreen(model: Model, { columns, rows }: Size): ScreenFrame {
	const { ids, filter, hidden } = arranged(model)
	if (ids.length === 0 && filter.text === '' && hidden === 0) {
		return firstRun(model, { columns, rows })
	}
	const selected = selectedSession(model)
	const list = (width: number, height: number) =>
		listOf(model, selected?.id ?? null, { width, height, active: true })
	if (columns >= twoPaneColumns && selected) {
		const widths = sideBySide(columns)
		const left = list(widths.list, rows - 1)
		const right = transcriptPane(model, selected.id, {
			width: widths.rest,
			height: rows - 1,
			active: false,
		})
		const { focus, shown, transcript } = right
		const { order } = left
		const panes = [left.pane, right.pane]
		return { ...emptyScreen, panes, list: left.list, transcript, focus, shown, order }
	}
	if (!selected || !hasPreview({ columns, rows })) {
		const only = list(columns, rows - 1)
		return { ...emptyScreen, panes: [only.pane], list: only.list, order: only.order }
	}
	const heights = oneBelow(rows, rows)
	const above = list(columns, heights.list)
	const options = { width: columns, height: heights.rest, active: false }
	const { order } = above
	const stacked = { panes: [above.pane], direction: 'column', list: above.list, order } as const
	const waiting = unanswered(model, selected.id)
	if (waiting) {
		const { pane, card, shown } = cardPane(model, waiting, options)
		const panes = [above.pane, pane]
		return { ...emptyScreen, ...stacked, panes, card, focus: waiting, shown: [shown] }
	}
	// Nothing can be answered here but what stands in a card of its own, in full.
	const { pane, transcript } = transcriptPane(model, selected.id, options)
	return { ...emptyScreen, ...stacked, panes: [above.pane, pane], transcript }
}

/** Whether there is room for the highlighted session beside or below the list. */
export function hasPreview({ columns, rows }: Size): boolean {
	return columns >= twoPaneColumns || rows >= previewRows
}

/** The session's oldest request that waits for an answer which was not given yet, or has to be given again. */
function unanswered({ data }: Model, session: string): RequestView | null {
	const waiting = pendingRequests(data).filter((request) => request.session === session)
	const open = waiting.find(({ id }) => {
		const decision = data.decisions.get(id)
		return !decision || mayRepeat(decision)
	})
	return open ?? null
}

/**
 * The list alone, for the screens that keep it in view, with one session highlighted. `order`: what of it
 * is on the screen.
 */
export function listOf(
	model: Model,
	selected: string | null,
	{ width, height, active }: { width: number; height: number; active: boolean },
): { pane: Pane; list: ListFrame; order: string } {
	const sessions = arranged(model)
	const { more } = model.data.listing
	const options = { width: width - listMargin, height, now: model.now, more }
	const rows = sessionRows(sessions, options)
	const { pane, shown } = lazyRowsPane(rows, selected, {
		title: listTitle(sessions, model.data.listing, active),
		width,
		height,
		active,
	})
	const entries = Math.max(1, Math.floor(height / rows.lines))
	const list = { ids: sessions.ids, selected, height: entries }
	return {
		pane: rows.total === 0 ? nothing(pane, sessions, model) : pane,
		list,
		order: shown.join(),
	}
}

function nothing(pane: Pane, { filter }: Arranged, { data, keymap }: Model): Pane {
	const text =
		filter.text === ''
			? safeText`All sessions are archived: ${keymap.key('filter')} is:archived lists them.`
			: data.listing.more
				? safeText`… nothing that fits yet: older sessions are being read`
				: safeText`No session fits.`
	const lines = wrapLine([span(text, 'dim')], pane.width - 2)
	return { ...pane, rows: lines.map((line) => ({ line: [span(safeText`  `), ...line] })) }
}

function firstRun({ data, keymap }: Model, { columns, rows }: Size): ScreenFrame {
	const lines =
		data.connection.state === 'connecting' && data.connection.lastContact === null
			? [[span(safeText`  … connecting`, 'dim')]]
			: firstRunLines(data.info, keymap, columns - 2)
	const { rows: shown } = scrollPane(lines, 0, { height: rows - 1 })
	const pane: Pane = {
		title: [span(safeText`no sessions yet`, 'strong')],
		rows: shown.map(({ line }) => ({ line: [span(safeText` `), ...line] })),
		width: columns,
		height: rows - 1,
		active: true,
	}
	return { ...emptyScreen, panes: [pane] }
}
