/**
 * What OpenCode asks: permissions and questions, and their answers in its own form. Parsed strictly: a
 * request that is not understood is never shown as one that can be approved.
 */
import * as v from 'valibot'
import type { SessionRule } from '../../protocol/events.ts'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import { tooDeep } from '../foreign.ts'
import { flag } from '../lenient.ts'
import { changesIn } from './patch.ts'

type Ask = Extract<AgentOutput, { type: 'request' }>['ask']

/** Ids become part of an address, and have to stay what they are. */
const idSchema = v.pipe(v.string(), v.regex(/^[\w-]{1,200}$/))
const toolSchema = v.optional(
	v.nullable(v.object({ messageID: v.string(), callID: v.string() })),
	null,
)

/** Properties of `permission.asked`. */
export const permissionSchema = v.object({
	id: idSchema,
	sessionID: v.string(),
	permission: v.pipe(v.string(), v.nonEmpty()),
	patterns: v.array(v.string()),
	metadata: v.optional(
		v.pipe(
			v.record(v.string(), v.unknown()),
			v.check((value) => !tooDeep(value)),
		),
		{},
	),
	/** What "always" would allow from then on. */
	always: v.optional(v.array(v.string()), []),
	tool: toolSchema,
})
export type AskedPermission = v.InferOutput<typeof permissionSchema>

/** Properties of `question.asked`. */
export const questionSchema = v.object({
	id: idSchema,
	sessionID: v.string(),
	questions: v.pipe(
		v.array(
			v.object({
				question: v.string(),
				header: v.optional(v.nullable(v.string()), null),
				options: v.array(
					v.object({ label: v.string(), description: v.optional(v.nullable(v.string()), null) }),
				),
				multiple: flag,
			}),
		),
		v.minLength(1),
	),
	tool: toolSchema,
})
export type AskedQuestion = v.InferOutput<typeof questionSchema>

/** The id of something that asks, when at least that can be read of it. */
export const askedIdSchema = v.object({ id: idSchema })

export function permissionRules({ permission, always }: AskedPermission): SessionRule[] {
	return always.map((pattern) => ({ tool: permission, rule: pattern }))
}

/** Permissions of tools that go by another name. */
const editing: ReadonlySet<string> = new Set(['edit', 'write', 'patch', 'apply_patch', 'multiedit'])

/** `call`: the tool call that it is about, as far as it is known. */
export function permissionAsk(
	asked: AskedPermission,
	call: { tool: string; input: unknown } | null,
	cwd: string | null,
): Ask {
	const { permission, patterns, metadata } = asked
	// Whether a call that comes again and again may go on is another matter than what it does.
	const tool = permission === 'doom_loop' ? permission : (call?.tool ?? permission)
	const own =
		(tool === permission && permission !== 'doom_loop') ||
		(permission === 'edit' && editing.has(tool))
	const { diff: _, ...shown } = metadata
	return {
		tool,
		tool_use: asked.tool?.callID ?? null,
		input: call === null ? { ...shown, patterns } : asShown(call.input, shown),
		description: null,
		cwd,
		reason: own ? null : `${permission}: ${patterns.join(', ')}`,
		changes: changesIn(metadata),
		session_rules: permissionRules(asked),
		questions: null,
	}
}

/** The call's input; what the request itself says of it goes first, since that is what is decided. */
function asShown(input: unknown, said: Record<string, unknown>): unknown {
	const parsed = v.safeParse(v.record(v.string(), v.unknown()), input)
	if (!parsed.success || Array.isArray(input)) return { input, ...said }
	const same = Object.entries(said).filter(([key]) => Object.hasOwn(parsed.output, key))
	return { ...parsed.output, ...Object.fromEntries(same) }
}

export function questionAsk(asked: AskedQuestion, cwd: string | null): Ask {
	const { questions } = asked
	return {
		tool: 'question',
		tool_use: asked.tool?.callID ?? null,
		input: { questions },
		description: null,
		cwd,
		reason: null,
		changes: [],
		session_rules: [],
		questions,
	}
}

/** What is kept of an open request, to answer it. */
export type OpenRequest =
	| { kind: 'permission'; rules: readonly SessionRule[] }
	| { kind: 'question'; questions: readonly string[] }

/** A call of the server that answers a request. */
export interface Reply {
	path: string
	body: unknown
}

const answersSchema = v.object({
	answers: v.record(v.string(), v.union([v.string(), v.array(v.string())])),
})

/**
 * The answer in OpenCode's own form. `taken` is false where it takes no such answer (a permission with a
 * changed input, a question without answers): then the agent is told no.
 */
export function replyTo(
	id: string,
	request: OpenRequest,
	answer: AgentAnswer,
): { reply: Reply; taken: boolean } {
	if (request.kind === 'question') {
		const reject = { path: `/question/${id}/reject`, body: {} }
		if (answer.decision === 'deny') return { reply: reject, taken: true }
		const parsed = v.safeParse(answersSchema, answer.input)
		if (!parsed.success) return { reply: reject, taken: false }
		const given = new Map(Object.entries(parsed.output.answers))
		const answers = request.questions.map((question) => [given.get(question) ?? []].flat())
		return { reply: { path: `/question/${id}/reply`, body: { answers } }, taken: true }
	}
	const path = `/permission/${id}/reply`
	// With a message the agent goes on and reads it; without, its turn would just end.
	const reject = (message: string) => ({ path, body: { reply: 'reject', message } })
	if (answer.decision === 'deny') return { reply: reject(answer.reason), taken: true }
	if (answer.input !== undefined) return { reply: reject(unchangeable), taken: false }
	const always = answer.scope === 'session' && request.rules.length > 0
	return { reply: { path, body: { reply: always ? 'always' : 'once' } }, taken: true }
}

/** Ends the turn that asks: a reason would let the agent go on. */
export function rejection(id: string, kind: OpenRequest['kind']): Reply {
	return kind === 'question'
		? { path: `/question/${id}/reject`, body: {} }
		: { path: `/permission/${id}/reply`, body: { reply: 'reject' } }
}

const unchangeable = 'It was allowed with another input only, which can not be handed over.'
