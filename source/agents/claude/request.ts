/**
 * Permission requests: what a person is shown of one, and what the agent is answered. Parsed strictly: a
 * request that is not understood is never shown as one that can be approved.
 */
import * as v from 'valibot'
import type { Question, SessionRule } from '../../protocol/events.ts'
import type { AgentAnswer } from '../agent.ts'
import { flag, maybeText } from '../lenient.ts'
import { tooDeep } from './schema.ts'

const inputSchema = v.pipe(
	v.record(v.string(), v.unknown()),
	v.check((input) => !tooDeep(input)),
)

/** `request` of a `control_request` with subtype `can_use_tool`. */
export const canUseToolSchema = v.object({
	subtype: v.literal('can_use_tool'),
	tool_name: v.pipe(v.string(), v.nonEmpty()),
	input: inputSchema,
	tool_use_id: maybeText,
	description: maybeText,
	decision_reason: maybeText,
	blocked_path: maybeText,
	permission_suggestions: v.optional(v.unknown(), null),
})

/** Body of a PermissionRequest hook. */
export const permissionHookSchema = v.object({
	tool_name: v.pipe(v.string(), v.nonEmpty()),
	tool_input: inputSchema,
	permission_suggestions: v.optional(v.unknown(), null),
})

const ruleSchema = v.object({
	toolName: v.pipe(v.string(), v.nonEmpty()),
	ruleContent: v.optional(v.nullable(v.string()), null),
})
const addRulesSchema = v.object({
	type: v.literal('addRules'),
	behavior: v.literal('allow'),
	rules: v.array(ruleSchema),
})

/**
 * The rules that "allow for this session" may add: only those that allow, of all that the agent suggests
 * (it also suggests to change its mode or to open folders, which nobody was shown).
 */
export function sessionRules(suggestions: unknown): SessionRule[] {
	if (!Array.isArray(suggestions)) return []
	return suggestions.flatMap((suggestion: unknown) => {
		const parsed = v.safeParse(addRulesSchema, suggestion)
		if (!parsed.success) return []
		return parsed.output.rules.map((rule) => ({ tool: rule.toolName, rule: rule.ruleContent }))
	})
}

const questionsSchema = v.object({
	questions: v.pipe(
		v.array(
			v.object({
				question: v.string(),
				header: maybeText,
				multiSelect: flag,
				options: v.array(v.object({ label: v.string(), description: maybeText })),
			}),
		),
		v.minLength(1),
	),
})

/** The questions that the agent asks the person; `null` when the request is for a permission. */
export function questionsOf(tool: string, input: unknown): Question[] | null {
	if (tool !== 'AskUserQuestion') return null
	const parsed = v.safeParse(questionsSchema, input)
	if (!parsed.success) return null
	return parsed.output.questions.map(({ question, header, options, multiSelect }) => ({
		question,
		header,
		options,
		multiple: multiSelect,
	}))
}

/** What is kept of an open request, to answer it. */
export interface OpenRequest {
	tool: string
	toolUse: string | null
	input: Record<string, unknown>
	rules: readonly SessionRule[]
	question: boolean
}

export type PermissionResult =
	| {
			behavior: 'allow'
			updatedInput?: Record<string, unknown>
			updatedPermissions?: readonly unknown[]
	  }
	| { behavior: 'deny'; message: string; interrupt?: boolean }

const answersSchema = v.object({
	answers: v.record(v.string(), v.union([v.string(), v.array(v.string())])),
})

/**
 * The answer in the agent's own form. For a question, the input holds `answers` by question text (several
 * choices as a list). `null` when the answer can't be given: an input that is no object, or a question
 * "allowed" without answers.
 */
export function permissionResult(
	request: OpenRequest,
	answer: AgentAnswer,
): PermissionResult | null {
	if (answer.decision === 'deny') return { behavior: 'deny', message: answer.reason }
	if (request.question) {
		const parsed = v.safeParse(answersSchema, answer.input)
		if (!parsed.success || Array.isArray(answer.input)) return null
		return {
			behavior: 'allow',
			updatedInput: { ...request.input, answers: joined(parsed.output.answers) },
		}
	}
	const result: PermissionResult = { behavior: 'allow' }
	if (answer.input !== undefined) {
		const edited = v.safeParse(inputSchema, answer.input)
		if (!edited.success || Array.isArray(answer.input)) return null
		result.updatedInput = edited.output
	}
	if (answer.scope === 'session' && request.rules.length > 0) {
		result.updatedPermissions = [sessionUpdate(request.rules)]
	}
	return result
}

/** For this session only: nothing is written into the project or the person's settings. */
function sessionUpdate(rules: readonly SessionRule[]): unknown {
	return {
		type: 'addRules',
		behavior: 'allow',
		destination: 'session',
		rules: rules.map(({ tool, rule }) =>
			rule === null ? { toolName: tool } : { toolName: tool, ruleContent: rule },
		),
	}
}

function joined(answers: Record<string, string | string[]>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(answers).map(([question, answer]) => [
			question,
			Array.isArray(answer) ? answer.join(', ') : answer,
		]),
	)
}
