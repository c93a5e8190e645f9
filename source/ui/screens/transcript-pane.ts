import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import type { RequestView, SessionState } from '../../viewer/viewer.ts'
import type { ShownRequest } from '../attention.ts'
import type { Row } from '../components/rows.tsx'
import { type Model, type Pane, type TranscriptFrame, titleFrame } from '../frame.ts'
import { widestTranscript } from '../layout.ts'
import { findLine, seekingLine } from '../present/find-line.ts'
import { sentLines } from '../present/sent-lines.ts'
import { sessionTitle } from '../present/session-title.ts'
import { markedIn, markedLines } from '../reading/marking.ts'
import { seqOf } from '../reading/place.ts'
import { transcriptOf } from '../state.ts'
import { isFoldable } from '../transcript/item-lines.ts'
import type { Item } from '../transcript/items.ts'
import { type LaidOut, layOut } from '../transcript/lay-out.ts'
import { placeWindow } from '../transcript/place-window.ts'

/** Columns left of the transcript that say which item is selected. */
const margin = 2

export interface TranscriptPane {
	pane: Pane
	transcript: TranscriptFrame | null
	focus: RequestView | null
	shown: readonly ShownRequest[]
}

/** The transcript of one session, of which only the lines on the screen are laid out. */
export function transcriptPane(
	model: Model,
	session: string,
	options: { width: number; height: number; active: boolean },
): TranscriptPane {
	const { open } = model.data
	const state = open?.session === session ? open.state : null
	const title = sessionTitle(model, session, state, options.width - titleFrame)
	const notice = noticeOf(state)
	if (!state || notice) {
		const rows: Row[] = [{ line: [span(notice ?? safeText`  … loading`, 'dim')] }]
		return { pane: { ...options, title, rows }, transcript: null, focus: null, shown: [] }
	}
	const ui = transcriptOf(model.ui, session)
	const width = Math.min(options.width - margin, widestTranscript)
	const laidOut = layOut(model, session, state, width)
	// What went wrong stands above what was read before, and does not take it away.
	const trouble: Row[] =
		state.error === null ? [] : [{ line: [span(safeText`  ✗ ${oneLine(state.error)}`, 'error')] }]
	const listed = model.data.sessions.find(({ id }) => id === session)
	const sent = sentLines(model.data.sent.get(session) ?? [], {
		width: options.width,
		now: model.now,
		over: Boolean((listed ?? state.summary)?.endedAt),
	}).map((line): Row => ({ line }))
	const foot = [...lookingLines(model, session, options.width), ...sent]
	const height = Math.max(1, options.height - trouble.length - foot.length)
	const { window, jump } = placeWindow(laidOut.items, ui, height, model.jumpScroll)
	const visible = (request: RequestView) =>
		window.slices.some(({ index }) => requestOf(laidOut.entries[index])?.id === request.id)
	const shown = laidOut.shown(window)
	const wanted = markedIn(model.ui, session)
	const rows = window.slices.flatMap(({ index, key, from, to }): Row[] => {
		const at = ui.find?.at
		const here = at && seqOf(laidOut.entries[index]) === at.seq ? at.line : -1
		const lines = laidOut.items.lines(index)
		return (wanted ? markedLines(lines, wanted, here) : lines)
			.slice(from, to)
			.map((line, offset) => ({
				line: [
					marginSpan(
						offset === 0 && key === ui.selected,
						here >= 0 ? from + offset === here : offset === 0 && key === ui.cursor,
					),
					...line,
				],
				id: key,
			}))
	})
	return {
		pane: { ...options, title, rows: [...trouble, ...padded(rows, foot, height)] },
		transcript: {
			session,
			items: laidOut.items,
			entries: laidOut.entries,
			window,
			height,
			following: ui.anchor === null && !state.hasNewer,
			jump,
			selected: ui.selected,
			cursor: ui.cursor,
			more: { older: state.hasOlder, newer: state.hasNewer },
			selectable: selectable(laidOut, window.slices),
		},
		focus: laidOut.focus && visible(laidOut.focus) ? laidOut.focus : null,
		shown,
	}
}

/** What is looked for in it, or what a jump is looking for. */
function lookingLines({ ui }: Model, session: string, width: number): Row[] {
	const { find } = transcriptOf(ui, session)
	const seeking = ui.seeking?.session === session ? ui.seeking : null
	return [
		...(find ? [{ line: findLine(find, width) }] : []),
		...(seeking ? [{ line: seekingLine(seeking, width) }] : []),
	]
}

/** What was sent stands at the foot of the pane. */
function padded(rows: readonly Row[], foot: readonly Row[], height: number): Row[] {
	if (foot.length === 0) return [...rows]
	const empty = Array.from({ length: Math.max(0, height - rows.length) }, () => ({ line: [] }))
	return [...rows, ...empty, ...foot]
}

/** The pending request that an item is, or `null`. */
function requestOf(item: Item | undefined): RequestView | null {
	if (item?.type !== 'request') return null
	return item.request?.status === 'pending' ? item.request : null
}

function selectable(laidOut: LaidOut, slices: readonly { index: number; key: string }[]) {
	return slices.flatMap(({ index, key }) => {
		const item = laidOut.entries[index]
		return item && (isFoldable(item) || item.type === 'request') ? [key] : []
	})
}

function marginSpan(selected: boolean, cursor: boolean) {
	if (cursor) return span(safeText`› `, 'accent')
	return selected ? span(safeText`▐ `, 'accent') : span(safeText`  `)
}

function noticeOf(state: SessionState | null) {
	if (!state) return null
	if (state.messages.length > 0 || state.live.length > 0) return null
	if (state.error !== null) return safeText`  ✗ ${oneLine(state.error)}`
	return state.loading ? safeText`  … loading` : safeText`  Nothing happened in this session yet.`
}
