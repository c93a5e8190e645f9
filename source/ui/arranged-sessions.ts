/** The sessions in the order and the groups in which they are listed. */
import type { RequestView, SessionSummary } from '../viewer/viewer.ts'
import { groupOf, type SessionGroup } from './present/session-state.ts'
import type { Snapshot } from './snapshot.ts'

export interface SessionsOfGroup {
	group: SessionGroup
	members: readonly SessionSummary[]
}

export interface Arranged {
	/** Those that have members, in the order of the list. */
	groups: readonly SessionsOfGroup[]
	/** Of all groups, in order. */
	ids: readonly string[]
	first: SessionSummary | null
}

/**
 * Sessions as they are listed: those that wait, the oldest request first; live ones, last started first;
 * earlier ones as the viewer gives them, last active first. Live ones do not change places whenever one of
 * them says something. Made once for the same lists: a key costs nothing by how many sessions there are.
 */
export function arranged({
	sessions,
	requests,
}: Pick<Snapshot, 'sessions' | 'requests'>): Arranged {
	if (last?.sessions !== sessions || last.requests !== requests) {
		last = { sessions, requests, result: arrange(sessions, requests) }
	}
	return last.result
}

let last: {
	sessions: readonly SessionSummary[]
	requests: readonly RequestView[]
	result: Arranged
} | null = null

function arrange(sessions: readonly SessionSummary[], requests: readonly RequestView[]): Arranged {
	const waiting: SessionSummary[] = []
	const live: SessionSummary[] = []
	const earlier: SessionSummary[] = []
	const places = { waiting, live, earlier }
	for (const session of sessions) places[groupOf(session)].push(session)
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
	const ids = groups.flatMap(({ members }) => members.map(({ id }) => id))
	return { groups, ids, first: groups[0]?.members[0] ?? null }
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
