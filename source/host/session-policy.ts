/** The machine's own rules, for one session: what they answer, and the word in the session that they hold. */
import type { AgentAnswer } from '../agents/agent.ts'
import { decide } from '../policy/decide.ts'
import type { PolicyRequest, Surroundings } from '../policy/part.ts'
import type { PolicyFile, PolicyState } from '../policy/policy-file.ts'
import { answers, ruleText } from '../policy/rule.ts'
import type { AgentName, Body } from '../protocol/events.ts'
import type { Ask } from './pending-request.ts'
import type { Ruling } from './verdict.ts'

export interface SessionPolicyOptions {
	file: Pick<PolicyFile, 'read'>
	agent: AgentName
	around: Surroundings
	/** The state of the file is another than before; once a change. */
	onState(body: Body<'system'>, state: PolicyState): void
}

/** Rules named in an answer; there may be one for each part of a long command. */
const mostNamed = 4
const denied = 'The policy of this machine does not allow it.'

export class SessionPolicy {
	readonly #options: SessionPolicyOptions
	/** What was said last, by what sets it apart. */
	#said = 'none'

	constructor(options: SessionPolicyOptions) {
		this.#options = options
	}

	/** Says in the session what holds, where that has changed. */
	look(): PolicyState {
		const state = this.#options.file.read()
		const name = nameOf(state)
		if (name !== this.#said) {
			this.#said = name
			this.#options.onState(noticeOf(state), state)
		}
		return state
	}

	/** The answer of the rules as they are now; of a policy that is not in force too: all is asked then. */
	answer(ask: Ask): Ruling {
		const state = this.look()
		if (state.kind === 'none') return null
		if (state.kind === 'refused') return 'ask'
		const { agent, around } = this.#options
		const request: PolicyRequest = { agent, ask }
		const verdict = decide(state.policy.rules, request, around)
		if (verdict.answer === 'ask') return verdict.insists ? 'ask' : null
		const named = verdict.rules.slice(0, mostNamed).map(ruleText)
		const more = verdict.rules.length - named.length
		if (more > 0) named.push(`${more} more`)
		const [why] = verdict.answer === 'deny' ? verdict.rules.map(({ reason }) => reason) : []
		const reason = [named.join('; '), ...(why === undefined ? [] : [why])].join(': ')
		const answer: AgentAnswer =
			verdict.answer === 'allow'
				? { decision: 'allow', scope: 'once' }
				: { decision: 'deny', reason: why ?? denied }
		return { answer, reason }
	}
}

function nameOf(state: PolicyState): string {
	if (state.kind === 'in_force') return state.policy.digest
	return state.kind === 'refused' ? `refused: ${state.problem}` : state.kind
}

/** `data`: `state`, `file`, and of a policy in force `digest` (SHA-256, hex) and `rules` (how many of each). */
function noticeOf(state: PolicyState): Body<'system'> {
	const { kind, file } = state
	const about = { state: kind, file, digest: null, rules: null }
	if (kind === 'none') {
		const text = 'There is no policy on this machine any more: everything is asked.'
		return { type: 'policy', text, data: about }
	}
	if (kind === 'refused') {
		const text = `The policy of this machine is not in force, and everything is asked. ${state.problem}`
		return { type: 'policy', text, data: about }
	}
	const { rules, digest } = state.policy
	const count = Object.fromEntries(
		answers.map((answer) => [answer, rules.filter((rule) => rule.answer === answer).length]),
	)
	const counts = answers.map((answer) => `${answer} ${count[answer]}`).join(', ')
	const text = `A policy of this machine is in force (${counts}; ${digest.slice(0, 12)}).`
	return { type: 'policy', text, data: { ...about, digest, rules: count } }
}
