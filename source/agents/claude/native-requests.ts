/**
 * Permission requests of a native session: each is one hook call that is held open, while the same prompt
 * is on the person's own screen. Whichever side answers first, the other is let go.
 */
import { randomUUID } from 'node:crypto'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import { cannot } from '../cannot.ts'
import type { HookCall } from '../hook-call.ts'
import { type OpenRequest, type PermissionResult, permissionResult } from './request.ts'
import { canonical, type Settled } from './transcript.ts'

interface Held extends OpenRequest {
	call: HookCall
	/** A sub-agent's: its prompt is not on the screen while the hook is held. */
	agent: string | null
	answered: boolean
}

/** How long the agent may take to say what became of a request that it hung up on, ms. */
const explainMs = 500

export class NativeRequests {
	readonly #held = new Map<string, Held>()
	readonly #onOutput: (output: AgentOutput) => void

	constructor(onOutput: (output: AgentOutput) => void) {
		this.#onOutput = onOutput
	}

	/**
	 * Holds a hook call under an id of its own. An orphan of an earlier prompt can't take its answer. After
	 * `letGoMs` it is left to the agent; by default the host ends it.
	 */
	hold(
		request: OpenRequest,
		agent: string | null,
		call: HookCall,
		letGoMs: number | null = null,
	): string {
		const id = randomUUID()
		this.#held.set(id, { ...request, agent, call, answered: false })
		if (letGoMs !== null) setTimeout(() => this.hungUp(id, 'cancelled'), letGoMs).unref()
		return id
	}

	/** Requests of the main thread that wait, and whose prompt is on the screen. */
	get onScreen(): readonly string[] {
		return [...this.#held].flatMap(([id, { agent, answered }]) =>
			agent === null && !answered ? [id] : [],
		)
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		const held = this.#held.get(id)
		if (held === undefined || held.answered) return false
		const decision = permissionResult(held, answer)
		if (decision === null) {
			throw cannot(
				'The agent needs an answer of another form; answer the question itself or deny it.',
			)
		}
		held.answered = true
		return this.#respond(id, held, decision)
	}

	/** Denies what waits and ends the turn. `false` when nothing waits. */
	async interrupt(): Promise<boolean> {
		let any = false
		for (const [id, held] of this.#held) {
			if (held.answered) continue
			any = true
			this.#held.delete(id)
			const decision = { behavior: 'deny' as const, message: 'Interrupted', interrupt: true }
			await held.call.respond(hookAnswer(decision))
			this.#onOutput({ type: 'withdrawn', id, result: 'cancelled' })
		}
		return any
	}

	/** The transcript, or a hook after the tool, says how it went for a tool call. */
	settled({ toolUse, approved, by }: Settled): void {
		for (const [id, held] of this.#held) {
			if (held.toolUse === toolUse) this.#settle(id, held, approved, by)
		}
	}

	/** A hook after the tool has run; the call is found by name and input where its id is not known. */
	ran(toolUse: string, name: string, input: unknown): void {
		const wanted = canonical(input)
		for (const [id, held] of this.#held) {
			const same = held.tool === name && canonical(held.input) === wanted
			if (held.toolUse === toolUse || (held.toolUse === null && same)) {
				this.#settle(id, held, true, held.answered ? 'hook' : 'other')
			}
		}
	}

	/**
	 * Lets go of what waits: the person has answered on their screen, or the turn ended. `ids`: those that
	 * were on the screen then; a request that came since waits on.
	 */
	release(result: 'approved' | 'denied' | 'cancelled', ids: readonly string[]): void {
		for (const id of ids) {
			const held = this.#held.get(id)
			if (held !== undefined && !held.answered) this.#withdraw(id, held, result)
		}
	}

	/** The agent hung up on one: answered with no, or dropped. */
	hungUp(id: string, result: 'denied' | 'cancelled'): void {
		const held = this.#held.get(id)
		if (held !== undefined && !held.answered) this.#withdraw(id, held, result)
	}

	/** The agent has ended. */
	end(): void {
		for (const [id, held] of this.#held) this.#withdraw(id, held, 'cancelled')
	}

	#settle(id: string, held: Held, approved: boolean | null, by: 'hook' | 'other'): void {
		if (held.answered && (by === 'hook' || approved === null)) {
			this.#held.delete(id)
			this.#onOutput({ type: 'applied', id })
		} else if (approved !== null) this.#withdraw(id, held, approved ? 'approved' : 'denied')
	}

	#withdraw(id: string, held: Held, result: 'approved' | 'denied' | 'cancelled'): void {
		this.#held.delete(id)
		void held.call.respond('')
		this.#onOutput({ type: 'withdrawn', id, result })
	}

	async #respond(id: string, held: Held, decision: PermissionResult): Promise<boolean> {
		if (await held.call.respond(hookAnswer(decision))) return true
		// The agent hung up: what it made of the request is about to be told.
		held.answered = false
		setTimeout(() => this.hungUp(id, 'cancelled'), explainMs).unref()
		return false
	}
}

function hookAnswer(decision: PermissionResult): string {
	return JSON.stringify({
		hookSpecificOutput: { hookEventName: 'PermissionRequest', decision },
	})
}
