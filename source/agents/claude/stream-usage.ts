/**
 * Token counts and cost of a headless session. Counts come per model response, as they end. The cost is
 * the agent's own, a running total with each result: differences of it are published, which add up to it
 * exactly, together with the tokens that no response was seen for (sub-agents, side requests).
 */
import type { Body } from '../../protocol/events.ts'
import { modelName } from './content.ts'
import type { ModelUsage, RawLine, RawUsage } from './schema.ts'
import { costOf, exactDifference, isEmpty, type Tokens, tokensOf } from './usage.ts'

interface Response {
	id: string | null
	model: string | null
	usage: RawUsage
}

const none: Tokens = { input: 0, output: 0, cache_read: 0, cache_write: 0 }

export class StreamUsage {
	/** Responses that are being written, by sub-agent. */
	readonly #open = new Map<string, Response>()
	/** Published so far, by model. */
	readonly #published = new Map<string, Tokens>()
	readonly #costs = new Map<string, number>()
	#cost = 0
	#results = 0
	/** From the price table, for responses since the last result: what a killed session still owes. */
	#owed = new Map<string, number>()

	start(place: string, message: RawLine['message']): void {
		if (message?.usage === null || message?.usage === undefined) return
		this.#open.set(place, {
			id: message.id,
			model: modelName(message.model),
			usage: message.usage,
		})
	}

	delta(
		place: string,
		usage: { output_tokens: number | null; input_tokens: number | null } | null,
	): void {
		const response = this.#open.get(place)
		if (response === undefined || usage === null) return
		response.usage.output_tokens = whole(usage.output_tokens) ?? response.usage.output_tokens
		response.usage.input_tokens = whole(usage.input_tokens) ?? response.usage.input_tokens
	}

	/** The tokens of a response that has ended; its cost comes with the result. */
	stop(place: string): Body<'usage'> | null {
		const response = this.#open.get(place)
		this.#open.delete(place)
		if (response === undefined) return null
		const { id, model, usage } = response
		const tokens = tokensOf(usage)
		if (isEmpty(tokens)) return null
		const key = model ?? ''
		this.#published.set(key, sum(this.#published.get(key) ?? none, tokens))
		this.#owed.set(key, (this.#owed.get(key) ?? 0) + (costOf(model, usage) ?? 0))
		return { message: id, model, ...tokens, cost_usd: null, cost_source: 'none' }
	}

	/** What a result adds to what was published: tokens not seen before, and the cost since the last. */
	result(line: RawLine): Body<'usage'>[] {
		const total = line.total_cost_usd
		if (total === null) return []
		this.#owed.clear()
		if (this.#results++ === 0) this.#startFrom(line, total)
		const events: Body<'usage'>[] = []
		for (const [model, used] of Object.entries(line.modelUsage ?? {})) {
			const all = modelTokens(used)
			const before = this.#published.get(model) ?? none
			const rest = difference(all, before)
			this.#published.set(model, sum(before, rest))
			const cost = (used.costUSD ?? 0) - (this.#costs.get(model) ?? 0)
			this.#costs.set(model, used.costUSD ?? 0)
			if (isEmpty(rest) && cost === 0) continue
			events.push({ message: null, model, ...rest, cost_usd: cost, cost_source: 'agent' })
		}
		if (events.length === 0 && total !== this.#cost) {
			events.push({ message: null, model: null, ...none, cost_usd: 0, cost_source: 'agent' })
		}
		// The last one takes what is left of the difference, so that the sum is exact.
		for (const [index, event] of events.entries()) {
			const last = index === events.length - 1
			event.cost_usd = last ? exactDifference(total, this.#cost) : event.cost_usd
			this.#cost += event.cost_usd ?? 0
		}
		return events
	}

	/** The totals of a resumed session include what it used before: that is not counted again. */
	#startFrom(line: RawLine, total: number): void {
		const now = line.model_usage_since_last_result
		if (now === null) return
		let cost = 0
		for (const [model, used] of Object.entries(line.modelUsage ?? {})) {
			const own = now[model]
			const tokens = own === undefined ? none : modelTokens(own)
			const before = difference(modelTokens(used), tokens)
			this.#published.set(model, sum(this.#published.get(model) ?? none, before))
			this.#costs.set(model, Math.max(0, (used.costUSD ?? 0) - (own?.costUSD ?? 0)))
			cost += own?.costUSD ?? 0
		}
		if (Math.abs(total - cost) > 1e-9) this.#cost = Math.max(0, total - cost)
	}

	/** For a session that ended without a result: the cost of its last responses, by the price table. */
	end(): Body<'usage'>[] {
		const events: Body<'usage'>[] = []
		for (const [model, cost] of this.#owed) {
			if (cost === 0) continue
			const named = model === '' ? null : model
			events.push({
				message: null,
				model: named,
				...none,
				cost_usd: cost,
				cost_source: 'price-table',
			})
		}
		this.#owed.clear()
		return events
	}
}

function modelTokens(used: ModelUsage): Tokens {
	return {
		input: used.inputTokens,
		output: used.outputTokens,
		cache_read: used.cacheReadInputTokens,
		cache_write: used.cacheCreationInputTokens,
	}
}

function whole(value: number | null): number | null {
	return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function sum(a: Tokens, b: Tokens): Tokens {
	return {
		input: a.input + b.input,
		output: a.output + b.output,
		cache_read: a.cache_read + b.cache_read,
		cache_write: a.cache_write + b.cache_write,
	}
}

function difference(a: Tokens, b: Tokens): Tokens {
	return {
		input: Math.max(0, a.input - b.input),
		output: Math.max(0, a.output - b.output),
		cache_read: Math.max(0, a.cache_read - b.cache_read),
		cache_write: Math.max(0, a.cache_write - b.cache_write),
	}
}
