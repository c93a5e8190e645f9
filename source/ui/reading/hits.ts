/** Which messages of a session have what is looked for, by the number of the message that shows them. */
import { occursIn, type Wanted } from '../../text/match.ts'
import { eventText } from '../../text/message-text.ts'
import { displayText } from '../../text/safe-text.ts'
import { openedEvent } from '../../viewer/opened-event.ts'
import type { ShownMessage } from '../../viewer/viewer.ts'
import { bodyOf } from '../transcript/items.ts'

/** A result follows its call closely: so many of the last calls are remembered. */
const callsKept = 1000

export class Hits {
	/** Numbers that have it. */
	readonly #found = new Set<number>()
	/** By a call's (request's) id, its number, as far as it is remembered. */
	readonly #calls = new Map<string, number>()
	/** Results (answers) that have it, of calls not seen yet. */
	readonly #orphans = new Map<string, number>()
	#sorted: readonly number[] | null = []

	/** Looks through a piece of the session; the pieces may come in any order. */
	take(messages: readonly ShownMessage[], wanted: Wanted): void {
		for (const message of messages) this.#call(message)
		for (const message of messages) if (has(message, wanted)) this.#hit(message)
	}

	/** There is nothing more to come: what has lost its call stands for itself. */
	finish(): void {
		for (const seq of this.#orphans.values()) this.#add(seq)
		this.#orphans.clear()
	}

	/** Ascending; the same object until there are more. */
	all(): readonly number[] {
		this.#sorted ??= [...this.#found].sort((a, b) => a - b)
		return this.#sorted
	}

	#call(message: ShownMessage): void {
		const call = bodyOf(message, 'tool_use')?.tool_use
		const id = call ?? bodyOf(message, 'permission_request')?.request
		if (id === undefined) return
		this.#calls.set(id, message.seq)
		const [oldest] = this.#calls.keys()
		if (this.#calls.size > callsKept && oldest !== undefined) this.#calls.delete(oldest)
		if (this.#orphans.delete(id)) this.#add(message.seq)
	}

	#hit(message: ShownMessage): void {
		const of =
			bodyOf(message, 'tool_result')?.tool_use ?? bodyOf(message, 'permission_response')?.request
		const call = of === undefined ? message.seq : this.#calls.get(of)
		if (call !== undefined) this.#add(call)
		else if (of !== undefined) this.#orphans.set(of, message.seq)
	}

	#add(seq: number): void {
		if (this.#found.has(seq)) return
		this.#found.add(seq)
		this.#sorted = null
	}
}

function has(message: ShownMessage, wanted: Wanted): boolean {
	const event = openedEvent(message)
	if (!event) return false
	const text = eventText(event)
	return text !== '' && occursIn(wanted, displayText(text))
}
