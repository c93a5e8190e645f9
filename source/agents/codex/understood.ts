/** A request of Codex that is understood: what a person is shown of it, and how its answer is put. */
import * as v from 'valibot'
import type { Body, FileChange } from '../../protocol/events.ts'
import type { FormField } from './form.ts'
import type { RawChange } from './schema.ts'

export type Ask = Omit<Body<'permission_request'>, 'request' | 'expires_at'>

/** How an answer is put, by the kind of the request. */
export type AnswerForm =
	| { kind: 'command' | 'files' }
	| { kind: 'permissions'; permissions: object }
	| { kind: 'questions'; ids: { id: string; question: string }[] }
	| { kind: 'tool' }
	| { kind: 'form'; fields: FormField[] }

export interface Understood {
	thread: string
	turn: string | null
	item: string | null
	form: AnswerForm
	ask: Ask
}

/** What else is known, for the requests that only name an item. */
export interface Known {
	cwd: string | null
	/** Changes of a file item, as it was announced. */
	changesOf(item: string): readonly RawChange[] | null
	/** The running call of a tool of an MCP server. */
	toolCall(server: string, tool: string): string | null
}

export const optionalText = v.optional(v.nullable(v.string()), null)
export const name = v.pipe(v.string(), v.nonEmpty())

/** `ask` with everything in it that the request leaves out. */
export function understood(
	{ threadId, turnId, itemId }: { threadId: string; turnId: string | null; itemId: string | null },
	form: AnswerForm,
	ask: Partial<Ask> & Pick<Ask, 'tool' | 'cwd'>,
): Understood {
	const changes: FileChange[] = []
	const rest = { description: null, reason: null, session_rules: [], questions: null }
	return {
		thread: threadId,
		turn: turnId,
		item: itemId,
		form,
		ask: { tool_use: itemId, input: null, changes, ...rest, ...ask },
	}
}
