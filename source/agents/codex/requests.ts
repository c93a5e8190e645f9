/** Requests of the app-server that wait for an answer, by an id of ours. */
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import { answerFor, meaningOf } from './answer.ts'
import { understand } from './request.ts'
import type { RpcId, RpcMessage } from './schema.ts'
import type { Known, Understood } from './understood.ts'

interface Waiting {
	rpc: RpcId
	asked: Understood
	/** Who answered, and with what: the first one counts. */
	answered: 'us' | 'approved' | 'denied' | 'cancelled' | null
}

const maxClosed = 100

export class Requests {
	readonly #waiting = new Map<string, Waiting>()
	/** The last ones that are closed: an answer that comes now is late. */
	readonly #closed = new Set<RpcId>()
	readonly #known: Omit<Known, 'cwd'> & { cwd(): string | null }
	#serial = 0

	constructor(known: Omit<Known, 'cwd'> & { cwd(): string | null }) {
		this.#known = known
	}

	/** A request of the agent; nothing comes out for one that is not understood. */
	open({ id: rpc, method, params }: Extract<RpcMessage, { type: 'request' }>): AgentOutput[] {
		const known: Known = {
			cwd: this.#known.cwd(),
			changesOf: (item) => this.#known.changesOf(item),
			toolCall: (server, tool) => this.#known.toolCall(server, tool),
		}
		const asked = understand(method, params, known)
		if (asked === null || this.#byRpc(rpc) !== null) return []
		const id = `${++this.#serial}`
		this.#closed.delete(rpc)
		this.#waiting.set(id, { rpc, asked, answered: null })
		return [{ type: 'request', id, ask: asked.ask }]
	}

	/** Whether a request waits under this id of the agent's. */
	knows(rpc: RpcId): boolean {
		return this.#byRpc(rpc) !== null
	}

	/** What there is to send for an answer; `null` when the request is gone, or has its answer. */
	find(id: string): { rpc: RpcId; asked: Understood } | null {
		const waiting = this.#waiting.get(id)
		return waiting === undefined || waiting.answered !== null ? null : waiting
	}

	/** The answer in the agent's form, taken from now on as given. `null`: it can't be given. */
	take(id: string, answer: AgentAnswer): { rpc: RpcId; result: object } | null {
		const waiting = this.#waiting.get(id)
		if (waiting === undefined || waiting.answered !== null) return null
		const result = answerFor(waiting.asked, answer)
		if (result === null) return null
		waiting.answered = 'us'
		return { rpc: waiting.rpc, result }
	}

	/** An answer from the agent's own interface. `false`: it comes second, and must not go on. */
	answeredThere(rpc: RpcId, result: unknown): boolean {
		const found = this.#byRpc(rpc)
		if (found === null) return !this.#closed.has(rpc)
		const [, waiting] = found
		if (waiting.answered !== null) return false
		waiting.answered = meaningOf(result)
		return true
	}

	/** The agent has an answer, or needs none any more. */
	resolved(rpc: RpcId | null): AgentOutput[] {
		const found = rpc === null ? null : this.#byRpc(rpc)
		return found === null ? [] : this.#close(...found)
	}

	/** Requests of a turn that is over: nobody waits for an answer. */
	turnOver(turn: string | null): AgentOutput[] {
		if (turn === null) return []
		return [...this.#waiting]
			.filter(([, { asked }]) => asked.turn === turn)
			.flatMap(([id, waiting]) => this.#close(id, waiting))
	}

	/** The agent has ended; another one begins with the same ids. */
	end(): AgentOutput[] {
		this.#closed.clear()
		return [...this.#waiting].flatMap(([id, waiting]) => {
			this.#waiting.delete(id)
			const result = waiting.answered ?? 'cancelled'
			return result === 'us' ? [] : [{ type: 'withdrawn' as const, id, result }]
		})
	}

	#close(id: string, { rpc, answered }: Waiting): AgentOutput[] {
		this.#waiting.delete(id)
		this.#closed.add(rpc)
		const [oldest] = this.#closed
		if (this.#closed.size > maxClosed && oldest !== undefined) this.#closed.delete(oldest)
		if (answered === 'us') return [{ type: 'applied', id }]
		return [{ type: 'withdrawn', id, result: answered ?? 'cancelled' }]
	}

	#byRpc(rpc: RpcId): [string, Waiting] | null {
		return [...this.#waiting].find(([, waiting]) => waiting.rpc === rpc) ?? null
	}
}
