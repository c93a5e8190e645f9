/** Text while it is written, by item. */
import type { AgentOutput } from '../agent.ts'
import type { RawParams } from './schema.ts'

interface Writing {
	length: number
	part: number
}

export class LiveText {
	readonly #writing = new Map<string, Writing>()

	/** Parts of a summary are set apart as they are in the finished text. */
	add(
		{ itemId, delta, summaryIndex }: RawParams,
		kind: 'agent_response' | 'agent_thinking',
	): AgentOutput[] {
		if (itemId === null || delta === null || delta === '') return []
		const writing = this.#writing.get(itemId) ?? { length: 0, part: summaryIndex ?? 0 }
		const next = (summaryIndex ?? writing.part) !== writing.part && writing.length > 0
		const text = next ? `\n\n${delta}` : delta
		const offset = writing.length
		writing.length += text.length
		writing.part = summaryIndex ?? writing.part
		this.#writing.set(itemId, writing)
		return [{ type: 'text', block: itemId, kind, offset, text }]
	}

	done(item: string): void {
		this.#writing.delete(item)
	}
}
