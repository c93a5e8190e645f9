/** Token counts of a thread. Codex tells running totals with each model response. */
import type { Body } from '../../protocol/events.ts'
import { costOf } from './prices.ts'
import type { RawTokens } from './schema.ts'

export class ThreadUsage {
	/** Totals that are published or were used before we saw the thread, by thread. */
	readonly #totals = new Map<string, RawTokens>()

	/** Totals of a resumed thread, from before: not counted again. */
	startFrom(thread: string, total: RawTokens): void {
		this.#totals.set(thread, total)
	}

	/**
	 * What came since the last total of this thread; `null` when nothing did. Codex says the same total
	 * again on occasion, and starts over when a thread is rolled back: then `last` counts.
	 */
	add(
		thread: string,
		{ total, last }: { total: RawTokens; last: RawTokens },
		model: string | null,
	): Body<'usage'> | null {
		const before = this.#totals.get(thread)
		this.#totals.set(thread, total)
		const rest = before === undefined ? null : difference(total, before)
		return usageBody(rest ?? last, model)
	}
}

/**
 * The usage event of one model response. Codex counts cached input as part of the input; here they are
 * apart, and add up to it. It tells no cost: that is from a table of list prices.
 */
export function usageBody(tokens: RawTokens, model: string | null): Body<'usage'> | null {
	const { inputTokens, cachedInputTokens, cacheWriteInputTokens, outputTokens } = tokens
	if (inputTokens === 0 && outputTokens === 0) return null
	const counts = {
		input: Math.max(0, inputTokens - cachedInputTokens - cacheWriteInputTokens),
		output: outputTokens,
		cache_read: cachedInputTokens,
		cache_write: cacheWriteInputTokens,
	}
	const cost = costOf(model, counts)
	const cost_source = cost === null ? 'none' : 'price-table'
	return { message: null, model, ...counts, cost_usd: cost, cost_source }
}

/** `null` when a total has become less. */
function difference(total: RawTokens, before: RawTokens): RawTokens | null {
	const rest = {
		inputTokens: total.inputTokens - before.inputTokens,
		cachedInputTokens: total.cachedInputTokens - before.cachedInputTokens,
		cacheWriteInputTokens: total.cacheWriteInputTokens - before.cacheWriteInputTokens,
		outputTokens: total.outputTokens - before.outputTokens,
	}
	return Object.values(rest).some((value) => value < 0) ? null : rest
}
