/**
 * The threads of one app-server: the session's own, those of its sub-agents, and those on the side, which
 * Codex keeps nowhere (it asks a model for a title in one): they are no part of the session.
 */
import type { RawItem, RawThread } from './schema.ts'

export class Threads {
	/** The call that started a sub-agent, by the sub-agent's thread. */
	readonly #parents = new Map<string, string>()
	readonly #aside = new Set<string>()
	readonly #models = new Map<string, string>()
	/** Turns that run, by thread. */
	readonly #turns = new Map<string, string>()
	/** Turns that began before our eyes: only theirs is the usage that is counted. */
	readonly #seenTurns = new Set<string>()
	#main: string | null = null

	/** The thread that the session is about, once it is open. */
	get main(): string | null {
		return this.#main
	}

	/** The turn that runs in the session's own thread. */
	get turn(): string | null {
		return this.#main === null ? null : (this.#turns.get(this.#main) ?? null)
	}

	/** A thread was opened by whoever uses the app-server. `false`: the session is not about it. */
	opened(thread: RawThread): boolean {
		this.started(thread)
		const { id, parentThreadId } = thread
		if (parentThreadId !== null || this.isAside(id)) return false
		this.#main = id
		return true
	}

	/** A thread exists. */
	started({ id, parentThreadId, ephemeral, model }: RawThread): void {
		if (model !== null) this.#models.set(id, model)
		const other = this.#main !== null && this.#main !== id
		if (ephemeral === true && parentThreadId === null && other) this.#aside.add(id)
	}

	isAside(thread: string | null): boolean {
		return thread !== null && this.#aside.has(thread)
	}

	isMain(thread: string | null): boolean {
		return thread !== null && thread === this.#main
	}

	/** The model of a thread, where it was said. */
	modelOf(thread: string): string | null {
		return this.#models.get(thread) ?? null
	}

	turnStarted(thread: string, turn: string): void {
		this.#turns.set(thread, turn)
		this.#seenTurns.add(turn)
	}

	turnOver(thread: string): void {
		this.#turns.delete(thread)
	}

	sawTurn(turn: string | null): boolean {
		return turn !== null && this.#seenTurns.has(turn)
	}

	/** A call may have started, or spoken to, sub-agents. */
	startedBy({ id: call, receiverThreadIds, agentThreadId, kind }: RawItem): void {
		const started = kind === 'started' && agentThreadId !== null ? [agentThreadId] : []
		for (const thread of [...receiverThreadIds, ...started]) {
			if (thread !== this.#main && !this.#parents.has(thread)) this.#parents.set(thread, call)
		}
	}

	/** What the events of a thread belong to: `null` for the session itself. */
	parentOf(thread: string): string | null {
		return thread === this.#main ? null : (this.#parents.get(thread) ?? thread)
	}

	end(): void {
		this.#turns.clear()
	}
}
