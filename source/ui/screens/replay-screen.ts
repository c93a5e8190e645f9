import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import { shortTime } from '../../text/time.ts'
import { unreadSession } from '../../viewer/unread.ts'
import type { RequestView, SessionState, ShownMessage } from '../../viewer/viewer.ts'
import type { Row } from '../components/rows.tsx'
import { emptyScreen, type Model, type Pane, type ScreenFrame } from '../frame.ts'
import { replayLines } from '../present/replay-bar.ts'
import { sessionName } from '../present/session-row.ts'
import { joined } from '../present/sides.ts'
import { type ReplayState, replayKey } from '../replay/replay-state.ts'
import { type Size, transcriptOf } from '../state.ts'
import { bodyOf } from '../transcript/items.ts'
import { transcriptPane } from './transcript-pane.ts'

const barRows = 2

/** A session as it is played again: what has happened so far, and where in it one is. */
export function replayScreen(model: Model, session: string, { columns, rows }: Size): ScreenFrame {
	const { replay } = model.ui
	const options = { width: columns, height: rows - 1, active: true }
	const title = titleOf(model, session)
	if (replay?.session !== session || replay.through === 0) {
		const reading = [span(safeText`  … reading`, 'dim')]
		return { ...emptyScreen, panes: [{ ...options, title, rows: [{ line: reading }] }] }
	}
	const height = Math.max(1, rows - 1 - barRows)
	const past = { ...options, height }
	const { pane, transcript } = transcriptPane(modelThen(model, replay), session, past)
	const all: Pane = { ...options, title, rows: withBar(pane.rows, replay, options) }
	return {
		...emptyScreen,
		panes: [all],
		transcript: transcript && {
			...transcript,
			session: replayKey(session),
			more: { older: false, newer: false },
			selectable: [],
		},
	}
}

function withBar(
	rows: readonly Row[],
	replay: ReplayState,
	{ width, height }: { width: number; height: number },
): Row[] {
	const room = Math.max(1, height - barRows)
	const empty = Array.from({ length: Math.max(0, room - rows.length) }, (): Row => ({ line: [] }))
	const bar = replayLines(replay, width).map((line): Row => ({ line }))
	return [...rows.slice(0, room), ...empty, ...bar].slice(0, height)
}

function titleOf({ data }: Model, session: string): StyledLine {
	const summary = data.sessions.find(({ id }) => id === session) ?? data.open?.state.summary
	const replay: StyledLine = [span(safeText`replay`, 'accent')]
	const dot = [span(safeText` · `, 'dim')]
	if (!summary) return joined([replay, [span(oneLine(session.slice(0, 8)))]], dot)
	return joined(
		[
			replay,
			[span(sessionName(summary), 'strong')],
			[span(oneLine(summary.agent))],
			[span(shortTime(summary.startedAt), 'dim')],
		],
		dot,
	)
}

/** What there was to be seen then. Nothing of it can be answered. */
function modelThen(model: Model, replay: ReplayState): Model {
	const { session, at } = replay
	const state = stateThen(model, replay)
	const transcripts = new Map(model.ui.transcripts)
	transcripts.set(session, { ...transcriptOf(model.ui, replayKey(session)), find: null })
	return {
		...model,
		now: at === null ? model.now : Date.parse(at),
		still: true,
		ui: { ...model.ui, transcripts, seeking: null },
		data: {
			...model.data,
			sent: new Map(),
			decisions: new Map(),
			requests: requestsThen(model, replay),
			open: { session, state },
		},
	}
}

function stateThen({ data }: Model, replay: ReplayState): SessionState {
	const open = data.open?.session === replay.session ? data.open.state : null
	return {
		...unreadSession,
		summary: open?.summary ?? null,
		senders: open?.senders ?? new Map(),
		messages: replay.messages,
		hasOlder: replay.hasOlder,
		live: replay.live,
		verifiedTo: replay.seq,
		loading: false,
	}
}

/** Those that were not answered yet wait again; of the others it is known what became of them. */
function requestsThen({ data }: Model, replay: ReplayState): readonly RequestView[] {
	const answered = new Set<string>()
	for (const message of replay.messages) {
		const answer = bodyOf(message, 'permission_response')
		if (answer) answered.add(answer.request)
	}
	const known = new Map(data.requests.map((request) => [request.id, request]))
	return replay.messages.flatMap((message) => {
		const body = bodyOf(message, 'permission_request')
		if (!body) return []
		const request = known.get(body.request)
		if (answered.has(body.request)) return request && request.status !== 'pending' ? [request] : []
		return [waitingThen(message, body, request)]
	})
}

function waitingThen(
	message: ShownMessage,
	body: NonNullable<RequestView['body']>,
	known: RequestView | undefined,
): RequestView {
	return {
		id: body.request,
		session: message.session,
		agent: known?.agent ?? '',
		project: known?.project ?? null,
		status: 'pending',
		body,
		digest: null,
		problem: null,
		risk: known?.risk ?? null,
		createdAt: message.at,
		expiresAt: body.expires_at,
		decided: null,
	}
}
