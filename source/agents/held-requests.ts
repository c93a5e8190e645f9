/**
 * Permission requests that are hook calls held open, of an agent that tells nothing of them but what became of
 * the tool. Whoever answers first, the other side is let go.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentOutput } from './agent.ts'
import type { HookCall } from './hook-call.ts'

interface Held {
	/** What the tool and its input are told apart by. */
	key: string
	call: HookCall
	answered: 'allow' | 'deny' | null
}

/** The host's own clock for a request comes first, and says that it has expired; ms. */
const letGoLater = 1000

export class HeldRequests {
	readonly #held = new Map<string, Held>()
	readonly #onOutput: (output: AgentOutput) => void
	readonly #holdMs: number

	constructor(onOutput: (output: AgentOutput) => void, holdMs: number) {
		this.#onOutput = onOutput
		this.#holdMs = holdMs
	}

	/** Holds a call, and gives the id that it can be answered by. */
	hold(key: string, call: HookCall): string {
		const id = randomUUID()
		this.#held.set(id, { key, call, answered: null })
		call.onHangUp(() => this.#withdraw(id, 'cancelled'))
		void sleep(this.#holdMs + letGoLater, undefined, { ref: false }).then(() => {
			if (this.#held.get(id)?.answered === null) this.#withdraw(id, 'cancelled')
		})
		return id
	}

	/** `false`: the request is gone. */
	async answer(id: string, decision: 'allow' | 'deny', body: string): Promise<boolean> {
		const held = this.#held.get(id)
		if (held === undefined || held.answered !== null) return false
		held.answered = decision
		if (await held.call.respond(body)) {
			// Nothing is heard of a tool that does not run.
			if (decision === 'deny') this.#applied(id)
			return true
		}
		this.#withdraw(id, 'cancelled')
		return false
	}

	/** Denies what waits. `false`: nothing does. */
	async denyAll(body: string): Promise<boolean> {
		const waiting = [...this.#held].filter(([, { answered }]) => answered === null)
		for (const [id, held] of waiting) {
			held.answered = 'deny'
			await held.call.respond(body)
			this.#withdraw(id, 'cancelled')
		}
		return waiting.length > 0
	}

	/** The tool has run. */
	ran(key: string): void {
		for (const [id, held] of this.#held) {
			if (held.key !== key) continue
			if (held.answered === 'allow') this.#applied(id)
			else this.#withdraw(id, 'approved')
		}
	}

	/** The turn, or the agent, is over. */
	end(): void {
		for (const [id, { answered }] of this.#held) {
			if (answered === null) this.#withdraw(id, 'cancelled')
			else this.#applied(id)
		}
	}

	#applied(id: string): void {
		if (this.#held.delete(id)) this.#onOutput({ type: 'applied', id })
	}

	#withdraw(id: string, result: 'approved' | 'cancelled'): void {
		const held = this.#held.get(id)
		if (held === undefined) return
		this.#held.delete(id)
		void held.call.respond('')
		this.#onOutput({ type: 'withdrawn', id, result })
	}
}
