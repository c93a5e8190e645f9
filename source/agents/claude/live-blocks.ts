/**
 * Text that the native interface shows while it is being written, and which finished block it belongs to.
 * The hook names a message by an id that the transcript does not have: they are matched by their text.
 */
import type { AgentOutput } from '../agent.ts'

export class LiveBlocks {
	readonly #open = new Map<string, string>()
	readonly #done = new Set<string>()

	/** The next piece of a message. `null` when its block is finished already. */
	add(message: string, delta: string): Extract<AgentOutput, { type: 'text' }> | null {
		if (delta === '' || this.#done.has(message)) return null
		const before = this.#open.get(message) ?? ''
		this.#open.set(message, before + delta)
		return {
			type: 'text',
			block: message,
			kind: 'agent_response',
			offset: before.length,
			text: delta,
		}
	}

	/** The block that a finished text was shown as, or `null` when it was not seen being written. */
	finish(text: string): string | null {
		const whole = text.trim()
		for (const [message, written] of this.#open) {
			const start = written.trim()
			if (start === '' || !whole.startsWith(start)) continue
			this.#open.delete(message)
			this.#done.add(message)
			return message
		}
		return null
	}
}
