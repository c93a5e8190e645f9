/** Which sessions a query is about: its conditions on agent, project, host, title and state. */
import { fold } from './fold.ts'
import type { Condition, Query } from './query.ts'

/** What a condition may ask of a session. Names are raw. */
export interface SearchedSession {
	id: string
	agent: string
	status: string
	project: string | null
	title: string | null
	/** Id of the device that hosts it, and its name. */
	host: { id: string; name: string | null }
	pending: number
	stale: boolean
	archived?: boolean
}

const liveStatuses = new Set(['starting', 'running', 'idle'])

/** Whether all conditions but those on messages (`kind`) hold for a session. Times are not looked at. */
export function sessionFits(session: SearchedSession, query: Pick<Query, 'conditions'>): boolean {
	return query.conditions.every((condition) => {
		if (condition.field === 'kind') return true
		const some = condition.values.some((value) => holds(session, condition.field, value))
		return some !== condition.not
	})
}

function holds(session: SearchedSession, field: Condition['field'], value: string): boolean {
	switch (field) {
		case 'agent': {
			const agent = fold(session.agent)
			return agent.startsWith(value) || value.startsWith(agent)
		}
		case 'project':
			return session.project !== null && fold(session.project).includes(value)
		case 'title':
			return session.title !== null && fold(session.title).includes(value)
		case 'host':
			return fold(session.host.name ?? '').includes(value) || session.host.id.startsWith(value)
		case 'session':
			return session.id.startsWith(value)
		case 'status':
			return session.status === value
		case 'is':
			return isIn(session, value)
		case 'kind':
			return true
	}
}

function isIn(session: SearchedSession, state: string): boolean {
	const live = liveStatuses.has(session.status)
	switch (state) {
		case 'waiting':
			return session.pending > 0
		case 'live':
			return live && !session.stale
		case 'over':
			return !live
		case 'stale':
			return session.stale
		case 'failed':
			return session.status === 'error'
		default:
			return state === 'archived' && session.archived === true
	}
}
