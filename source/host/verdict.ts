/** What becomes of a request: the answer that a decision, a rule, the agent or the host itself gives it. */
import * as v from 'valibot'
import type { AgentAnswer } from '../agents/agent.ts'
import type { Command } from '../protocol/command.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import type { Ask, PendingRequest, Verdict, Withdrawal } from './pending-request.ts'
import { clearedBy, type KeptDecision } from './sealed-decision.ts'
import type { Grant } from './session-grants.ts'

export type DecisionCommand = Extract<Command, { kind: 'decision' }>
export type Response = Omit<Body<'permission_response'>, 'request'>

/** An answer without a person. */
export interface Automatic {
	answer: AgentAnswer
	/** What is written down: the rules that decided. */
	reason: string
	/** It was allowed for the session before. */
	grant?: Grant
}

/** Of this machine's rules. `ask`: a person is, whatever was allowed for the session; `null`: they say nothing. */
export type Ruling = Automatic | 'ask' | null

const answersSchema = v.object({
	answers: v.record(v.string(), v.union([v.string(), v.array(v.string())])),
})
const inputSchema = v.record(v.string(), v.unknown())

/** Whether there is an answer to each question, of those it offers where it takes no other. */
function answers(questions: NonNullable<Ask['questions']>, input: unknown): boolean {
	const given = v.safeParse(answersSchema, input)
	if (!given.success) return false
	const all = given.output.answers
	return questions.every(({ question, options, other }) => {
		if (!Object.hasOwn(all, question)) return false
		const words = [all[question] ?? []].flat().filter((word) => word !== '')
		return other !== false || words.every((word) => options.some(({ label }) => label === word))
	})
}

/** Why an agent could do nothing with a decision, which must not use up its request. */
export function unusable({ decision, input }: DecisionCommand['body'], { ask }: PendingRequest) {
	if (decision === 'deny') return null
	if (ask.questions !== null && !answers(ask.questions, input)) {
		return new StyrbyError(
			'answer_needed',
			'This is a question, and a permission is no answer to it: each of its questions needs one, or deny it.',
		)
	}
	// An agent that leaves a change out would do what nobody allowed.
	const taken = ask.questions !== null || ask.editable === true
	if (input === undefined || (taken && v.is(inputSchema, input) && !Array.isArray(input)))
		return null
	return new StyrbyError('input_unusable', 'The changed input is not one that the agent takes.')
}

export function keptDecision({ id }: PendingRequest, verdict: Verdict): KeptDecision {
	const { answer, scope, reason, device, signed } = verdict
	return { request: id, decision: answer.decision, scope, reason, device, signed }
}

export function verdictOf(
	{ body, by }: DecisionCommand,
	signed: Verdict['signed'],
	request: PendingRequest,
): Verdict {
	// Nothing is allowed for the session unless the rule for it was shown.
	const forSession = body.scope === 'session' && request.ask.session_rules.length > 0
	const scope = forSession ? 'session' : 'once'
	const reason = body.reason ?? null
	const answer: AgentAnswer =
		body.decision === 'allow'
			? { decision: 'allow', scope, ...(body.input === undefined ? {} : { input: body.input }) }
			: { decision: 'deny', reason: reason || 'The owner of this machine said no.' }
	return { answer, device: by, scope, reason, signed }
}

export function byAgent(result: Withdrawal): Response {
	return { result, by: 'agent', device: null, scope: null, reason: null, command: null }
}

export function byHost(result: 'expired' | 'cancelled', reason: string): Response {
	return { result, by: 'host', device: null, scope: null, reason, command: null }
}

/** The answer of a rule: the machine's, or one that a device allowed for the session. */
export function byItself({ answer, reason, grant }: Automatic): Response {
	if (grant) return clearedBy(grant.kept)
	const allowed = answer.decision === 'allow'
	const result = allowed ? 'approved' : 'denied'
	return {
		result,
		by: 'policy',
		device: null,
		scope: allowed ? 'once' : null,
		reason,
		command: null,
	}
}
