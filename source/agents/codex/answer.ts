/** Answers in Codex's own form, and what an answer in that form means. */
import * as v from 'valibot'
import type { AgentAnswer } from '../agent.ts'
import { formContent } from './form.ts'
import { type AnswerForm, optionalText, type Understood } from './understood.ts'

const answersSchema = v.object({
	answers: v.record(v.string(), v.union([v.string(), v.array(v.string())])),
})

/**
 * The answer in Codex's own form. `null` when it can't be given: a question without its answers, or an
 * input that was changed, which Codex does not take.
 */
export function answerFor({ form, ask }: Understood, answer: AgentAnswer): object | null {
	if (answer.decision === 'deny') return refusal(form)
	const session = answer.scope === 'session' && ask.session_rules.length > 0
	if (form.kind === 'questions' || form.kind === 'form') {
		const parsed = v.safeParse(answersSchema, answer.input)
		if (!parsed.success) return null
		if (form.kind === 'form') {
			const content = formContent(form.fields, parsed.output.answers)
			return content === null ? null : { action: 'accept', content, _meta: null }
		}
		return questionAnswers(form.ids, parsed.output.answers)
	}
	if (answer.input !== undefined) return null
	switch (form.kind) {
		case 'permissions':
			return { permissions: form.permissions, scope: session ? 'session' : 'turn' }
		case 'tool':
			return { action: 'accept', content: {}, _meta: session ? { persist: 'session' } : null }
		default:
			return { decision: session ? 'acceptForSession' : 'accept' }
	}
}

/** No, and the turn goes on. */
export function refusal(form: AnswerForm): object {
	switch (form.kind) {
		case 'permissions':
			return { permissions: {}, scope: 'turn' }
		case 'questions':
			return { answers: {} }
		case 'tool':
		case 'form':
			return { action: 'decline', content: null, _meta: null }
		default:
			return { decision: 'decline' }
	}
}

/** How a request that is not understood is refused; `null`: by an error. */
export function refusalOf(method: string): object | null {
	switch (method) {
		case 'item/commandExecution/requestApproval':
		case 'item/fileChange/requestApproval':
			return { decision: 'decline' }
		case 'item/permissions/requestApproval':
			return { permissions: {}, scope: 'turn' }
		case 'item/tool/requestUserInput':
			return { answers: {} }
		case 'mcpServer/elicitation/request':
			return { action: 'decline', content: null, _meta: null }
		case 'applyPatchApproval':
		case 'execCommandApproval':
			return { decision: 'denied' }
		default:
			return null
	}
}

function questionAnswers(
	ids: readonly { id: string; question: string }[],
	answers: Record<string, string | string[]>,
): object | null {
	const given: [string, { answers: string[] }][] = []
	for (const { id, question } of ids) {
		const answer = Object.hasOwn(answers, question) ? answers[question] : undefined
		if (answer === undefined) return null
		given.push([id, { answers: Array.isArray(answer) ? answer : [answer] }])
	}
	return { answers: Object.fromEntries(given) }
}

const decisionSchema = v.object({ decision: v.optional(v.unknown()), action: optionalText })
const grantSchema = v.object({ permissions: v.record(v.string(), v.unknown()) })
const givenSchema = v.object({ answers: v.record(v.string(), v.unknown()) })

/** What an answer of the agent's own interface means; `cancelled` where it can't be told. */
export function meaningOf(result: unknown): 'approved' | 'denied' | 'cancelled' {
	const grant = v.safeParse(grantSchema, result)
	if (grant.success) {
		const any = Object.values(grant.output.permissions).some((value) => value !== null)
		return any ? 'approved' : 'denied'
	}
	const given = v.safeParse(givenSchema, result)
	if (given.success) return Object.keys(given.output.answers).length > 0 ? 'approved' : 'denied'
	const parsed = v.safeParse(decisionSchema, result)
	if (!parsed.success) return 'cancelled'
	const { decision, action } = parsed.output
	if (action !== null) {
		return action === 'accept' ? 'approved' : action === 'decline' ? 'denied' : 'cancelled'
	}
	if (decision === 'decline' || decision === 'cancel') return 'denied'
	if (decision === 'accept' || decision === 'acceptForSession') return 'approved'
	if (decision !== null && typeof decision === 'object') {
		if ('acceptWithExecpolicyAmendment' in decision) return 'approved'
		if ('applyNetworkPolicyAmendment' in decision) {
			return JSON.stringify(decision).includes('"action":"allow"') ? 'approved' : 'denied'
		}
	}
	return 'cancelled'
}
