/** Token counts and what they cost. Amounts are in USD, prices in USD per million tokens. */
import type { Body } from '../../protocol/events.ts'
import priceTable from './prices.json' with { type: 'json' }
import type { RawUsage } from './schema.ts'

export interface Prices {
	input: number
	output: number
	cache_read: number
	cache_write_5m: number
	cache_write_1h: number
}

const models = new Map<string, Prices>(Object.entries(priceTable.models))

/**
 * Prices of a model by any of the names it goes by: with a date, a context suffix, or a cloud provider's
 * prefix. `null` when the table does not have it.
 */
export function pricesOf(model: string | null): Prices | null {
	const name =
		model === null ? null : /claude-(?:\d-(?:\d-)?[a-z]+|[a-z]+-\d+(?:-\d{1,2})?)(?!\d)/.exec(model)
	return name === null ? null : (models.get(name[0]) ?? null)
}

/** Cost of one model response in USD, or `null` for a model that the table does not have. */
export function costOf(model: string | null, usage: RawUsage): number | null {
	const prices = pricesOf(model)
	if (prices === null) return null
	const written = usage.cache_creation_input_tokens
	const hour = Math.min(usage.cache_creation?.ephemeral_1h_input_tokens ?? 0, written)
	const total =
		usage.input_tokens * prices.input +
		usage.output_tokens * prices.output +
		usage.cache_read_input_tokens * prices.cache_read +
		(written - hour) * prices.cache_write_5m +
		hour * prices.cache_write_1h
	return total / 1e6
}

/** The usage event of one model response, priced from the table. */
export function pricedUsage(
	message: string | null,
	model: string | null,
	usage: RawUsage,
): Body<'usage'> {
	const cost = costOf(model, usage)
	return {
		message,
		model,
		...tokensOf(usage),
		cost_usd: cost,
		cost_source: cost === null ? 'none' : 'price-table',
	}
}

export interface Tokens {
	input: number
	output: number
	cache_read: number
	cache_write: number
}

export function tokensOf(usage: RawUsage): Tokens {
	return {
		input: usage.input_tokens,
		output: usage.output_tokens,
		cache_read: usage.cache_read_input_tokens,
		cache_write: usage.cache_creation_input_tokens,
	}
}

export function isEmpty(tokens: Tokens): boolean {
	return (
		tokens.input === 0 && tokens.output === 0 && tokens.cache_read === 0 && tokens.cache_write === 0
	)
}

/**
 * The number that, added to `sum`, gives exactly `total`, so that differences of a running total add up
 * to it to the last bit. (A plain difference can be off by one unit in the last place.)
 */
export function exactDifference(total: number, sum: number): number {
	const plain = total - sum
	if (sum + plain === total) return plain
	const step = Math.abs(plain) * Number.EPSILON
	for (let n = 1; n <= 4; n++) {
		if (sum + (plain + n * step) === total) return plain + n * step
		if (sum + (plain - n * step) === total) return plain - n * step
	}
	return plain
}
