/** Token counts of a response of Gemini, and what they cost by list price. */
import type { Body } from '../../protocol/events.ts'
import type { RawTokens } from './chat-lines.ts'
import priceTable from './prices.json' with { type: 'json' }

/** Prompts over so many tokens cost the second price. */
const longPrompt = 200_000

interface Prices {
	input: readonly number[]
	output: readonly number[]
	cache_read: readonly number[]
}

const models = new Map<string, Prices>(Object.entries(priceTable.models))

/** A model's prices by its name, also that of a preview or a dated version; `null`: not in the table. */
function pricesOf(model: string | null): Prices | null {
	const name = (model ?? '')
		.replace(/^models\//, '')
		.replace(/-(?:preview|latest|\d{3}|\d{2}-).*$/, '')
	return models.get(name) ?? null
}

/**
 * The usage event of one response. Gemini counts cached tokens as part of the prompt, and thoughts apart
 * from the answer.
 */
export function usageOf(
	message: string,
	model: string | null,
	{ input: prompt, output: answer, cached, thoughts, tool }: RawTokens,
): Body<'usage'> {
	const cache_read = Math.min(cached, prompt)
	const input = prompt - cache_read + tool
	const output = answer + thoughts
	const prices = pricesOf(model)
	const tier = prompt > longPrompt ? 1 : 0
	const price = (list: readonly number[] | undefined) => list?.[tier] ?? 0
	const cost =
		prices === null
			? null
			: (input * price(prices.input) +
					output * price(prices.output) +
					cache_read * price(prices.cache_read)) /
				1e6
	return {
		message,
		model,
		input,
		output,
		cache_read,
		cache_write: 0,
		cost_usd: cost,
		cost_source: cost === null ? 'none' : 'price-table',
	}
}
