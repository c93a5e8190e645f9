import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import { formatCount, formatDuration, formatUsd } from '../../text/time.ts'
import type { RequestView, SessionState } from '../../viewer/viewer.ts'
import type { ShownRequest } from '../attention.ts'
import type { Row } from '../components/rows.tsx'
import type { Model, Pane, TranscriptFrame } from '../frame.ts'
import { oneLine } from '../present/one-line.ts'
import { sessionName } from '../present/session-list.ts'
import { sessionState } from '../present/session-state.ts'
import { joined } from '../present/sides.ts'
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
	const title = transcriptTitle(model, session, state)
	const notice = noticeOf(state)
	if (!state || notice) {
		const rows: Row[] = [{ line: [span(notice ?? safeText`  … loading`, 'dim')] }]
		return { pane: { ...options, title, rows }, transcript: null, focus: null, shown: [] }
	}
	const ui = transcriptOf(model.ui, session)
	const laidOut = layOut(model, session, state, options.width - margin)
	const { window, jump } = placeWindow(laidOut.items, ui, options.height, model.jumpScroll)
	const visible = (request: RequestView) =>
		window.slices.some(({ index }) => requestOf(laidOut.entries[index])?.id === request.id)
	const shown = laidOut.shown(window)
	const rows = window.slices.flatMap(({ index, key, from, to }): Row[] =>
		laidOut.items
			.lines(index)
			.slice(from, to)
			.map((line, offset) => ({
				line: [marginSpan(key === ui.selected && offset === 0), ...line],
			})),
	)
	return {
		pane: { ...options, title, rows },
		transcript: {
			session,
			items: laidOut.items,
			entries: laidOut.entries,
			window,
			height: options.height,
			following: ui.anchor === null && !state.hasNewer,
			jump,
			selected: ui.selected,
			selectable: selectable(laidOut, window.slices),
		},
		focus: laidOut.focus && visible(laidOut.focus) ? laidOut.focus : null,
		shown,
	}
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

function marginSpan(selected: boolean) {
	return selected ? span(safeText`▐ `, 'accent') : span(safeText`  `)
}

function noticeOf(state: SessionState | null) {
	if (!state) return null
	if (state.error !== null) return safeText`  ✗ ${oneLine(state.error)}`
	if (state.messages.length > 0 || state.live.length > 0) return null
	return state.loading ? safeText`  … loading` : safeText`  Nothing happened in this session yet.`
}

/** Project, agent, state, time, cost; then what was verified, and who can read it. */
function transcriptTitle(model: Model, session: string, state: SessionState | null): StyledLine {
	const listed = model.data.sessions.find(({ id }) => id === session)
	const summary = listed ?? state?.summary
	if (!summary) return [span(oneLine(session.slice(0, 8)), 'strong')]
	const { word, style } = sessionState(summary)
	const end = summary.endedAt === null ? model.now : Date.parse(summary.endedAt)
	const ran = formatDuration(Math.max(0, end - Date.parse(summary.startedAt)))
	const { input, output, cache_read, cache_write } = summary.tokens
	const tokens = input + output + cache_read + cache_write
	return joined(
		[
			[span(sessionName(summary), 'strong')],
			[span(oneLine(summary.agent))],
			[span(word, style)],
			...verifiedParts(state),
			...readersPart(state),
			[span(ran, 'dim')],
			summary.costUsd > 0 ? [span(formatUsd(summary.costUsd), 'dim')] : [],
			tokens > 0 ? [span(safeText`${formatCount(tokens)} tokens`, 'dim')] : [],
		],
		[span(safeText` · `, 'dim')],
	)
}

function verifiedParts(state: SessionState | null): StyledLine[] {
	if (!state) return []
	if (state.problems > 0) {
		const many = state.problems === 1 ? safeText`1 problem` : safeText`${state.problems} problems`
		return [[span(safeText`✗ ${many}`, 'error')]]
	}
	if (state.verifiedTo === null) return []
	return [[span(safeText`✓ verified to #${state.verifiedTo}`, 'ok')]]
}

function readersPart(state: SessionState | null): StyledLine[] {
	if (!state?.readers) return []
	const { count: readers, allSigned } = state.readers
	const signed = allSigned
		? span(safeText`, all signed`, 'dim')
		: span(safeText`, NOT all signed`, 'error')
	return [[span(safeText`readers ${readers}`, 'dim'), signed]]
}
