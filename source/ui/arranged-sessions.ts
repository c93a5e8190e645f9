/** The sessions in the order and the groups in which they are listed. */
import { isCheckSession } from '../protocol/check-session.ts'
import type { RequestView, SessionSummary } from '../viewer/viewer.ts'
import { groupOf, type SessionGroup } from './present/session-state.ts'
import { filterText, readFilter, type SessionFilter } from './session-filter.ts'
import type { Snapshot } from './snapshot.ts'
import type { UiState } from './state.ts'

export interface SessionsOfGroup {
	group: SessionGroup
	members: readonly SessionSummary[]
}

export interface Arranged {
	/** Those that have members, in the order of the list. */
	groups: readonly SessionsOfGroup[]
	/** Of all groups, in order. */
	ids: readonly string[]
	byId: ReadonlyMap<string, SessionSummary>
	first: SessionSummary | null
	filter: SessionFilter
	/** Archived ones that are not listed. */
	hidden: number
	/** Those of the list that are over and not archived. */
	over: readonly string[]
}

/** What the list is made from: the same objects give the same list. */
interface Given {
	sessions: readonly SessionSummary[]
	requests: readonly RequestView[]
	archived: ReadonlySet<string>
	text: string
	typing: boolean
	/** Minutes since the epoch: `since:2h` moves on with them. */
	minute: number
}

export type ArrangedFrom = {
	ui: Pick<UiState, 'screens' | 'filter'>
	data: Pick<Snapshot, 'sessions' | 'requests' | 'archived'>
	/** ms since the epoch. */
	now: number
}

/**
 * Sessions as they are listed: those that wait, the oldest request first; live ones, last started first;
 * earlier ones as the viewer gives them, last active first. Live ones do not change places whenever one of
 * them says something, and what waits is listed whatever is filtered or archived. Made once for the same
 * lists: a key costs nothing by how many sessions there are.
 */
export function arranged({ ui, data, now }: ArrangedFrom): Arranged {
	const { sessions, requests, archived } = data
	const text = filterText(ui)
	const typing = ui.screens.at(-1)?.name === 'filter'
	const minute = text === '' ? 0 : Math.floor(now / 60_000)
	const given: Given = { sessions, requests, archived, text, typing, minute }
	if (!last || !same(last.given, given)) last = { given, result: arrange(given) }
	return last.result
}

let last: { given: Given; result: Arranged } | null = null

function same(a: Given, b: Given): boolean {
	return (
		a.sessions === b.sessions &&
		a.requests === b.requests &&
		a.archived === b.archived &&
		a.text === b.text &&
		a.typing === b.typing &&
		a.minute === b.minute
	)
}

function arrange({ sessions, requests, archived, text, typing, minute }: Given): Arranged {
	const filter = readFilter(text, { now: minute * 60_000, typing })
	const waiting: SessionSummary[] = []
	const live: SessionSummary[] = []
	const earlier: SessionSummary[] = []
	const places = { waiting, live, earlier }
	let hidden = 0
	for (const session of sessions) {
		const group = groupOf(session)
		const archivedHere = archived.size > 0 && archived.has(session.id)
		// What `verify` sends to itself is archived from the start.
		const put = archivedHere || isCheckSession(session)
		if (group === 'waiting' || filter.fits(session, put)) places[group].push(session)
		else if (archivedHere && !filter.showsArchived) hidden++
	}
	const since = waitingSince(requests)
	const asked = ({ id, startedAt }: SessionSummary) => since.get(id) ?? Date.parse(startedAt)
	const started = ({ startedAt }: SessionSummary) => Date.parse(startedAt)
	const byId = (a: SessionSummary, b: SessionSummary) => (a.id < b.id ? -1 : 1)
	waiting.sort((a, b) => asked(a) - asked(b) || byId(a, b))
	live.sort((a, b) => started(b) - started(a) || byId(a, b))
	const all: readonly SessionsOfGroup[] = [
		{ group: 'waiting', members: waiting },
		{ group: 'live', members: live },
		{ group: 'earlier', members: earlier },
	]
	const groups = all.filter(({ members }) => members.length > 0)
	const listed = groups.flatMap(({ members }) => members)
	return {
		groups,
		ids: listed.map(({ id }) => id),
		byId: new Map(listed.map((session) => [session.id, session])),
		first: listed[0] ?? null,
		filter,
		hidden,
		over: earlier
			.filter(({ id, endedAt }) => endedAt !== null && !archived.has(id))
			.map(({ id }) => id),
	}
}

/** The highlighted session: the one chosen, or where that is not listed, the first. */
export function selectedSession(model: ArrangedFrom & { ui: UiState }): SessionSummary | null {
	const { byId, first } = arranged(model)
	const { selectedSession: chosen } = model.ui
	return (chosen === null ? undefined : byId.get(chosen)) ?? first
}

/** When the oldest request that waits was made, by session, in ms. */
function waitingSince(requests: readonly RequestView[]): ReadonlyMap<string, number> {
	const since = new Map<string, number>()
	for (const { session, status, createdAt } of requests) {
		if (status !== 'pending') continue
		const at = Date.parse(createdAt)
		since.set(session, Math.min(at, since.get(session) ?? at))
	}
	return since
}
