/** The words of a message: what is found in it, and what is copied of it. */
import type { Body, FileChange, SessionEvent } from '../protocol/events.ts'

/** All words of an event that a person may have read in its rendering, a part a line; empty: it has none. */
export function eventText({ kind, body }: SessionEvent): string {
	return partsOf({ kind, body } as SessionEvent)
		.filter((part) => part !== null && part !== '')
		.join('\n')
}

type Parts = readonly (string | null)[]

function partsOf(event: SessionEvent): Parts {
	switch (event.kind) {
		case 'user_prompt':
		case 'agent_response':
		case 'agent_thinking':
			return [event.body.text]
		case 'tool_use':
			return [event.body.name, ...stringsOf(event.body.input)]
		case 'tool_result':
			return [event.body.text, ...event.body.changes.flatMap(changeParts)]
		case 'permission_request':
			return requestParts(event.body)
		case 'permission_response':
			return [event.body.result, event.body.reason]
		case 'error':
			return [event.body.text]
		case 'status':
			return [event.body.detail]
		case 'system':
			return [event.body.text]
		case 'usage':
			return []
	}
}

function changeParts({ path, hunks }: FileChange): Parts {
	return [path, ...hunks.flatMap(({ lines }) => lines)]
}

function requestParts(body: Body<'permission_request'>): Parts {
	const questions = (body.questions ?? []).flatMap(({ question, options }) => [
		question,
		...options.flatMap(({ label, description }) => [label, description]),
	])
	const changes = body.changes.flatMap(changeParts)
	return [
		body.tool,
		...stringsOf(body.input),
		body.description,
		body.cwd,
		body.reason,
		...changes,
		...questions,
	]
}

/** Every text in JSON of any shape, and the names that it has there. */
function stringsOf(value: unknown): string[] {
	const found: string[] = []
	const left: unknown[] = [value]
	while (left.length > 0) {
		const next = left.pop()
		if (typeof next === 'string') found.push(next)
		else if (typeof next === 'number') found.push(String(next))
		else if (Array.isArray(next)) left.push(...next.toReversed())
		else if (typeof next === 'object' && next !== null)
			left.push(...Object.values(next).toReversed())
	}
	return found
}
