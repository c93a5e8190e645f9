/** Calls of tools that run: what was announced of each, until it has its result. */
import type { AgentOutput } from '../agent.ts'
import { callOf, event, resultOf } from './items.ts'
import type { RawChange, RawItem, RawParams } from './schema.ts'

interface OpenCall {
	thread: string
	/** The call that the sub-agent belongs to whose call it is. */
	parent: string | null
	item: RawItem
}

export class OpenCalls {
	readonly #calls = new Map<string, OpenCall>()
	/** Why calls were denied, by the call: Codex does not tell it with the result. */
	readonly #denials = new Map<string, string>()

	started(thread: string, parent: string | null, item: RawItem, at: string): AgentOutput[] {
		if (this.#calls.has(item.id)) return []
		const body = callOf(item, parent)
		if (body === null) return []
		this.#calls.set(item.id, { thread, parent, item })
		return [event(at, { kind: 'tool_use', body })]
	}

	/** The result; with its call, where that was never announced. */
	done(thread: string, parent: string | null, item: RawItem, at: string): AgentOutput[] {
		const outputs = this.started(thread, parent, item, at)
		this.#calls.delete(item.id)
		const reason = this.#denials.get(item.id)
		this.#denials.delete(item.id)
		const body = resultOf(item, parent)
		const text = reason === undefined || body.ok ? body.text : `Denied: ${reason}`
		outputs.push(event(at, { kind: 'tool_result', body: { ...body, text } }))
		return outputs
	}

	/** A person denied the call, for this reason. */
	denied(call: string, reason: string): void {
		this.#denials.set(call, reason)
	}

	/** A turn has ended without the results of its calls. `null`: all threads. */
	interrupted(thread: string | null, at: string): AgentOutput[] {
		return [...this.#calls].flatMap(([id, call]) => {
			if (thread !== null && call.thread !== thread) return []
			this.#calls.delete(id)
			const item = { ...call.item, status: 'failed', error: { message: 'Interrupted.' } }
			return [event(at, { kind: 'tool_result', body: resultOf(item, call.parent) })]
		})
	}

	patched({ itemId, changes }: RawParams): void {
		const call = this.#calls.get(itemId ?? '')
		if (call !== undefined && changes !== null) call.item = { ...call.item, changes }
	}

	changesOf(id: string): readonly RawChange[] | null {
		return this.#calls.get(id)?.item.changes ?? null
	}

	/** The newest running call of a tool of an MCP server. */
	toolCall(server: string, tool: string): string | null {
		const items = [...this.#calls.values()].map(({ item }) => item)
		return items.findLast((item) => item.server === server && item.tool === tool)?.id ?? null
	}
}
