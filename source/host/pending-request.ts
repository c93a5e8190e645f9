import { isDeepStrictEqual } from 'node:util'
import type { AgentAnswer, AgentOutput } from '../agents/agent.ts'
import type { SignedCommand } from '../protocol/command.ts'
import type { SessionRule } from '../protocol/events.ts'

export type Ask = Extract<AgentOutput, { type: 'request' }>['ask']
export type Withdrawal = Extract<AgentOutput, { type: 'withdrawn' }>['result']

/** One request of the agent, from its asking to its answer. */
export interface PendingRequest {
	/** The agent's own id of it. */
	readonly agentId: string
	/** Ours. */
	readonly id: string
	readonly ask: Ask
	/** By this host's clock, ms since 1970. */
	readonly expiresAt: number
	/** Known as soon as the request is on the disk; nothing can decide it before. */
	digest: string | null
	/** `deciding`: a decision is on the disk and being handed to the agent. */
	state: 'pending' | 'deciding' | 'closed'
	timer: NodeJS.Timeout | null
	/** What the agent made of it by itself, when it said so. */
	withdrawn: Withdrawal | null
	/** Called when the agent withdraws it while we are handing it an answer. */
	onWithdrawn: (() => void) | null
	/** What a device decided, once that is published. */
	decided: 'approved' | 'denied' | null
	/** The agent went on before the answer was published. */
	applied: boolean
	/** A rule answers it, or what was allowed for the session. */
	automatic: boolean
}

/** Who decided, and with what. */
export interface Verdict {
	answer: AgentAnswer
	device: string
	scope: 'once' | 'session'
	reason: string | null
	signed: SignedCommand
}

function sameRule(a: SessionRule, b: SessionRule): boolean {
	return a.tool === b.tool && a.rule === b.rule
}

/**
 * Whether another request asks for exactly what was allowed for the session. The same rules are not
 * enough: an agent names only some of the rules that a long command would need.
 */
export function covers(allowed: Ask, other: Ask): boolean {
	return (
		allowed.tool === other.tool &&
		allowed.cwd === other.cwd &&
		isDeepStrictEqual(allowed.input, other.input) &&
		isDeepStrictEqual(allowed.changes, other.changes) &&
		other.questions === null &&
		other.session_rules.length > 0 &&
		other.session_rules.every((rule) =>
			allowed.session_rules.some((granted) => sameRule(rule, granted)),
		)
	)
}
