/** Requests of the agent, from their asking to their answer, whoever gives it. */
import * as v from 'valibot'
import type { AgentOutput } from '../agent.ts'
import { tooDeep } from '../foreign.ts'
import { deepInput } from './parts.ts'
import {
	type AskedPermission,
	askedIdSchema,
	type OpenRequest,
	permissionAsk,
	permissionRules,
	permissionSchema,
	questionAsk,
	questionSchema,
} from './request.ts'
import { type RawPart, repliedSchema } from './schema.ts'

type Result = Extract<AgentOutput, { type: 'withdrawn' }>['result']

interface Pending {
	request: OpenRequest
	session: string
	/** The tool call that it is about: message and call. */
	call: string | null
	/** Set while the call is not known yet, which is shown with it. */
	held: AskedPermission | null
	answering: boolean
	/** What the server said while our answer was on its way. */
	replied: Result | null
}

interface Call {
	tool: string
	input: unknown
}

export class PendingRequests {
	/** Where the agent works. */
	cwd: string | null = null
	readonly #pending = new Map<string, Pending>()
	/** Calls that run, by message and call. */
	readonly #calls = new Map<string, Call>()

	get holding(): boolean {
		return [...this.#pending.values()].some(({ held }) => held !== null)
	}

	open(id: string): OpenRequest | null {
		const pending = this.#pending.get(id)
		return pending === undefined || pending.answering || pending.held !== null
			? null
			: pending.request
	}

	/** `id` is `null` where not even that could be read. */
	ask(
		kind: 'permission' | 'question',
		properties: unknown,
	): { outputs: AgentOutput[]; understood: boolean; id: string | null } {
		const named = v.safeParse(askedIdSchema, properties)
		const id = named.success ? named.output.id : null
		// Said again, it is the same request: what was shown of it stays.
		if (id !== null && this.#pending.has(id)) return { outputs: [], understood: true, id }
		const outputs =
			kind === 'permission' ? this.#permission(properties) : this.#question(properties)
		return { outputs: outputs ?? [], understood: outputs !== null, id }
	}

	#permission(properties: unknown): AgentOutput[] | null {
		const parsed = v.safeParse(permissionSchema, properties)
		if (!parsed.success) return null
		const asked = parsed.output
		const call = asked.tool === null ? null : key(asked.tool.messageID, asked.tool.callID)
		const known = call === null ? null : (this.#calls.get(call) ?? null)
		const held = call !== null && known === null
		this.#pending.set(asked.id, {
			request: { kind: 'permission', rules: permissionRules(asked) },
			session: asked.sessionID,
			call,
			held: held ? asked : null,
			answering: false,
			replied: null,
		})
		return held ? [] : [this.#show(asked, known)]
	}

	#question(properties: unknown): AgentOutput[] | null {
		const parsed = v.safeParse(questionSchema, properties)
		if (!parsed.success) return null
		const asked = parsed.output
		this.#pending.set(asked.id, {
			request: { kind: 'question', questions: asked.questions.map(({ question }) => question) },
			session: asked.sessionID,
			call: asked.tool === null ? null : key(asked.tool.messageID, asked.tool.callID),
			held: null,
			answering: false,
			replied: null,
		})
		return [{ type: 'request', id: asked.id, ask: questionAsk(asked, this.cwd) }]
	}

	#show(asked: AskedPermission, call: Call | null): AgentOutput {
		return { type: 'request', id: asked.id, ask: permissionAsk(asked, call, this.cwd) }
	}

	/** A tool runs, or waits to be allowed: what it was called with is known. */
	called(part: RawPart): AgentOutput[] {
		const call = key(part.messageID, part.callID ?? part.id)
		if (this.#calls.has(call)) return []
		const input = part.state?.input ?? {}
		const known = { tool: part.tool ?? 'unknown', input: tooDeep(input) ? deepInput : input }
		this.#calls.set(call, known)
		return [...this.#pending].flatMap(([, pending]) => {
			if (pending.call !== call || pending.held === null) return []
			const asked = pending.held
			pending.held = null
			return [this.#show(asked, known)]
		})
	}

	release(): AgentOutput[] {
		return [...this.#pending.values()].flatMap((pending) => {
			if (pending.held === null) return []
			const asked = pending.held
			pending.held = null
			return [this.#show(asked, null)]
		})
	}

	answering(id: string): void {
		const pending = this.#pending.get(id)
		if (pending !== undefined) pending.answering = true
	}

	answered(id: string, ours: boolean): AgentOutput[] {
		const pending = this.#pending.get(id)
		if (pending === undefined) return []
		if (ours) {
			this.#pending.delete(id)
			return [{ type: 'applied', id }]
		}
		pending.answering = false
		return pending.replied === null ? [] : this.#withdraw(id, pending.replied)
	}

	replied(type: string, properties: unknown): AgentOutput[] {
		const parsed = v.safeParse(repliedSchema, properties)
		if (!parsed.success) return []
		const { requestID, reply } = parsed.output
		const pending = this.#pending.get(requestID)
		if (pending === undefined) return []
		const denied = type === 'question.rejected' || reply === 'reject'
		const result = type === 'permission.replied' && reply === null ? 'cancelled' : 'approved'
		return this.#resolve(requestID, pending, denied ? 'denied' : result)
	}

	/** A tool has a result: whoever was asked about it, it is settled. */
	settled(part: RawPart): AgentOutput[] {
		const call = key(part.messageID, part.callID ?? part.id)
		this.#calls.delete(call)
		const result = part.state?.status === 'completed' ? 'approved' : 'cancelled'
		return [...this.#pending].flatMap(([id, pending]) =>
			pending.call === call ? this.#resolve(id, pending, result) : [],
		)
	}

	/** A session has come to rest: nothing of it waits any more. */
	cancelOf(session: string): AgentOutput[] {
		return [...this.#pending].flatMap(([id, pending]) =>
			pending.session === session ? this.#resolve(id, pending, 'cancelled') : [],
		)
	}

	get waiting(): { id: string; kind: OpenRequest['kind'] }[] {
		return [...this.#pending].flatMap(([id, { answering, request }]) =>
			answering ? [] : [{ id, kind: request.kind }],
		)
	}

	/** `[]`: it has its end already. */
	cancelled(id: string): AgentOutput[] {
		return this.#pending.has(id) ? this.#withdraw(id, 'cancelled') : []
	}

	cancelAll(): AgentOutput[] {
		return [...this.#pending.keys()].flatMap((id) => this.#withdraw(id, 'cancelled'))
	}

	/** While our answer is on its way it is not known whose answer this is. */
	#resolve(id: string, pending: Pending, result: Result): AgentOutput[] {
		if (!pending.answering) return this.#withdraw(id, result)
		pending.replied ??= result
		return []
	}

	/** What was never shown needs no end either. */
	#withdraw(id: string, result: Result): AgentOutput[] {
		const held = this.#pending.get(id)?.held ?? null
		this.#pending.delete(id)
		return held === null ? [{ type: 'withdrawn', id, result }] : []
	}
}

function key(message: string, call: string): string {
	return `${message}\0${call}`
}
