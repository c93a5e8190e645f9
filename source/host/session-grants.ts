/**
 * What was allowed for a session, as objects: the rule that was shown, who gave it, how often it was used. Where
 * this host can tell what a rule means, it answers by it itself, so that it can be counted and taken back; else the
 * agent was handed the rule, and keeps it until the session ends.
 */
import { isDeepStrictEqual } from 'node:util'
import { parseCommandPattern } from '../policy/command-pattern.ts'
import { decide } from '../policy/decide.ts'
import type { Surroundings } from '../policy/part.ts'
import type { PreparedRule } from '../policy/policy.ts'
import { toBase64 } from '../protocol/bytes.ts'
import type { AgentName, Body, SessionRule } from '../protocol/events.ts'
import { toolKind } from '../risk/tools.ts'
import { commandOf } from '../text/tool-input.ts'
import { type Ask, covers } from './pending-request.ts'
import type { KeptDecision } from './sealed-decision.ts'

export interface Grant {
	/** Id of the decision that gave it. */
	id: string
	ask: Ask
	kept: KeptDecision
	/** ISO 8601 UTC. */
	at: string
	uses: number
	usedAt: string | null
	keeper: 'host' | 'agent'
}

export interface SessionGrantsOptions {
	agent: AgentName
	/** Where rules are judged; `null`: they can't be, and the agent keeps them. */
	around: Surroundings | null
	/** ISO 8601 UTC. */
	now(): string
	/** Whether a device is still one of the account's. */
	isActive(device: string): boolean
	/** There is one more or less, or one was used. */
	changed(): void
}

/** At once in one session: with one more, the oldest ends. */
const most = 50

export class SessionGrants {
	readonly #options: SessionGrantsOptions
	#grants: readonly Grant[] = []

	constructor(options: SessionGrantsOptions) {
		this.#options = options
	}

	/** Whether this host can answer by the rules of a request itself. */
	keeps(ask: Ask): boolean {
		return this.#options.around !== null && rulesOf(ask) !== null
	}

	begin(id: string, ask: Ask, kept: KeptDecision): void {
		const keeper = this.keeps(ask) ? 'host' : 'agent'
		const at = this.#options.now()
		const grant: Grant = { id, ask, kept, at, uses: 0, usedAt: null, keeper }
		// The same once more is one, and its use so far counts on.
		const before = this.#grants.filter((one) => !sameGrant(one, grant))
		const known = this.#grants.find((one) => sameGrant(one, grant))
		const next = known ? { ...grant, uses: known.uses, usedAt: known.usedAt } : grant
		this.#grants = [...before, next].slice(-most)
		this.#options.changed()
	}

	/** The grant that a request is allowed by; `null`: a person is asked. */
	covering(ask: Ask): Grant | null {
		const { isActive } = this.#options
		const left = this.#grants.filter(({ kept }) => isActive(kept.device))
		if (left.length < this.#grants.length) {
			this.#grants = left
			this.#options.changed()
		}
		return left.find((grant) => grant.keeper === 'host' && this.#allows(grant, ask)) ?? null
	}

	/** Whether it is still in force, just before it is used. */
	has({ id, kept }: Grant): boolean {
		return this.#options.isActive(kept.device) && this.#grants.some((grant) => grant.id === id)
	}

	used({ id }: Grant): void {
		const usedAt = this.#options.now()
		this.#grants = this.#grants.map((grant) =>
			grant.id === id ? { ...grant, uses: grant.uses + 1, usedAt } : grant,
		)
		this.#options.changed()
	}

	/** Ends one, or all that this host keeps. `false`: there is none such, or the agent keeps it. */
	takeBack(id: string | null): boolean {
		const left = this.#grants.filter(
			(grant) => grant.keeper === 'agent' || (id !== null && grant.id !== id),
		)
		if (left.length === this.#grants.length) return false
		this.#grants = left
		this.#options.changed()
		return true
	}

	isAgents(id: string): boolean {
		return this.#grants.some((grant) => grant.id === id && grant.keeper === 'agent')
	}

	/** The session's word for what is in force. */
	notice(): Body<'system'> {
		const grants = this.#grants.map(({ id, ask, kept, at, uses, usedAt, keeper }) => ({
			grant: id,
			request: kept.request,
			tool: ask.tool,
			rules: ask.session_rules,
			device: kept.device,
			bytes: toBase64(kept.signed.bytes),
			signature: toBase64(kept.signed.signature),
			at,
			uses,
			used_at: usedAt,
			keeper,
		}))
		return { type: 'grants', text: null, data: { grants } }
	}

	get any(): boolean {
		return this.#grants.length > 0
	}

	#allows({ ask: allowed }: Grant, ask: Ask): boolean {
		if (covers(allowed, ask)) return true
		const { around, agent } = this.#options
		const rules = around === null || ask.questions !== null ? null : rulesOf(allowed)
		if (rules === null || around === null) return false
		return decide(rules, { agent, ask }, around).answer === 'allow'
	}
}

function sameGrant(a: Grant, b: Grant): boolean {
	return (
		a.keeper === b.keeper &&
		a.kept.device === b.kept.device &&
		a.ask.tool === b.ask.tool &&
		a.ask.cwd === b.ask.cwd &&
		isDeepStrictEqual(a.ask.session_rules, b.ask.session_rules) &&
		isDeepStrictEqual(a.ask.input, b.ask.input)
	)
}

/** The rules as this host judges them; `null` where one of them is the agent's own affair. */
function rulesOf(ask: Ask): PreparedRule[] | null {
	const rules = ask.session_rules.map((rule) => ruleOf(rule, ask))
	if (rules.length === 0) return null
	const understood = rules.filter((rule) => rule !== null)
	return understood.length === rules.length ? understood : null
}

/** Of a shell: a command to its letter, or its first words and any others. Of any other tool: all of it. */
function ruleOf({ tool, rule }: SessionRule, ask: Ask): PreparedRule | null {
	if (/[*\p{Cc}]/u.test(tool) || tool === '') return null
	const kind = toolKind(tool)
	const base: PreparedRule = { answer: 'allow', tool: [tool], line: 0, patterns: [] }
	if (rule === null) return kind === 'shell' || kind === null ? null : base
	if (kind !== 'shell') return null
	// Word for word what was asked: nothing else is meant by it, and an equal request is one anyway.
	if (rule === commandOf(ask.input)) {
		return /[*?[\]{}~$`\\]/.test(rule) ? base : commandRule(rule, tool)
	}
	const [, prefix] = /^(.*\S)(?::\*| \*)$/su.exec(rule) ?? []
	return prefix === undefined || /[*?[\]]/.test(prefix) ? null : commandRule(`${prefix} *`, tool)
}

function commandRule(command: string, tool: string): PreparedRule {
	const pattern = parseCommandPattern(command)
	// What is no simple command is allowed again only where it is the same.
	const patterns = typeof pattern === 'string' ? [] : [pattern]
	return { answer: 'allow', tool: [tool], command: [command], line: 0, patterns }
}
