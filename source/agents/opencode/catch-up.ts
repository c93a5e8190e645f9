/** What was missed while no events came from OpenCode's server, as the events that would have told it. */
import * as v from 'valibot'
import type { OpencodeServer } from './server.ts'

export interface Known {
	/** Sessions that are followed. */
	sessions: readonly string[]
	/** Those of them that worked when the events broke off. */
	working: readonly string[]
	/** Whether a message is known; of the others, only what is newer counts: a session may be a resumed one. */
	knows(message: string): boolean
	/** ms since 1970. */
	since: number
}

export interface Missed {
	/** Lines as they come from `/event`. */
	lines: string[]
	/** Ids of everything that waits for an answer. */
	open: Set<string>
}

const sessionsSchema = v.array(v.looseObject({ id: v.string() }))
const messagesSchema = v.array(
	v.object({
		info: v.looseObject({
			id: v.string(),
			time: v.optional(v.object({ created: v.optional(v.number(), 0) }), {}),
		}),
		parts: v.array(
			v.looseObject({
				type: v.string(),
				time: v.optional(v.nullable(v.looseObject({ end: v.optional(v.unknown()) }))),
			}),
		),
	}),
)
const askedSchema = v.array(v.looseObject({ id: v.string() }))
const statusesSchema = v.record(v.string(), v.looseObject({ type: v.string() }))

/** Throws `agent_failed` when the server does not answer, or not in a form that is known. */
export async function readMissed(
	server: Pick<OpencodeServer, 'read'>,
	known: Known,
): Promise<Missed> {
	const lines: string[] = []
	const say = (type: string, properties: unknown) =>
		lines.push(JSON.stringify({ type, properties }))
	const sessions = [...known.sessions]
	for (const id of sessions) {
		const children = await server.read(`/session/${id}/children`, sessionsSchema)
		for (const info of children) {
			if (sessions.includes(info.id)) continue
			sessions.push(info.id)
			say('session.created', { info })
		}
	}
	for (const id of sessions) {
		for (const { info, parts } of await server.read(`/session/${id}/message`, messagesSchema)) {
			if (!known.knows(info.id) && (info.time.created ?? 0) < known.since) continue
			say('message.updated', { info })
			for (const part of parts) {
				// Pieces of a text that is being written come by events still, and its end tells all of it.
				const writing = part.type === 'text' || part.type === 'reasoning'
				const user = info.role === 'user'
				if (!writing || user || typeof part.time?.end === 'number')
					say('message.part.updated', { part })
			}
		}
	}
	const permissions = await server.read('/permission', askedSchema)
	const questions = await server.read('/question', askedSchema)
	for (const asked of permissions) say('permission.asked', asked)
	for (const asked of questions) say('question.asked', asked)
	const statuses = await server.read('/session/status', statusesSchema)
	for (const sessionID of sessions) {
		const status = statuses[sessionID]
		if (status !== undefined && status.type !== 'idle') say('session.status', { sessionID, status })
		else if (known.working.includes(sessionID)) say('session.idle', { sessionID })
	}
	return { lines, open: new Set([...permissions, ...questions].map(({ id }) => id)) }
}
