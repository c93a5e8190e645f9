/** What tokens cost, from a table of list prices. Amounts are in USD. */
import type { Body } from '../../protocol/events.ts'
import table from './prices.json' with { type: 'json' }

/** USD per million tokens. `long`: a long prompt makes the whole response dearer. */
interface Prices {
	input: number
	output: number
	cache_read: number
	cache_write: number
	long: boolean
}

const models = new Map<string, Prices>(Object.entries(table.models))

type Tokens = Pick<Body<'usage'>, 'input' | 'output' | 'cache_read' | 'cache_write'>

/**
 * Cost of one model response, or `null` for a model that the table does not have. A model may be named with
 * its provider (`openai/…`) and its date.
 */
export function costOf(model: string | null, tokens: Tokens): number | null {
	const name = (model ?? '').replace(/^openai\//, '').replace(/-\d{4}-\d{2}-\d{2}$/, '')
	const prices = models.get(name)
	if (prices === undefined) return null
	const { over, input, output } = table.long_context
	const prompt = tokens.input + tokens.cache_read + tokens.cache_write
	const long = prices.long && prompt > over
	const read =
		tokens.input * prices.input +
		tokens.cache_read * prices.cache_read +
		tokens.cache_write * prices.cache_write
	const written = tokens.output * prices.output
	return (read * (long ? input : 1) + written * (long ? output : 1)) / 1e6
}
