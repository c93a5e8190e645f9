import { expect, test } from 'vitest'
import { costOf } from '../../../source/agents/codex/prices.ts'
import { usageBody } from '../../../source/agents/codex/usage.ts'

const none = { input: 0, output: 0, cache_read: 0, cache_write: 0 }
const million = 1_000_000

test.each([
	['gpt-5.5', { ...none, output: million }, 30],
	['gpt-5.5-2026-04-23', { ...none, output: million }, 30],
	['openai/gpt-5.1-codex', { ...none, input: million }, 1.25],
	['gpt-6.1-sol', { ...none, cache_read: 200_000, cache_write: 40_000 }, 0.12],
	// A long prompt: all of it twice, the answer one and a half times.
	['gpt-6-sol', { ...none, input: 272_000 }, 0.544],
	['gpt-6-sol', { ...none, input: 272_001, output: 1000 }, 1.103_004],
	['gpt-6', none, null],
	['gpt-5.5-mine', none, null],
	['constructor', none, null],
	[null, none, null],
])('%s costs what the table says', (model, tokens, cost) => {
	const found = costOf(model, tokens)
	if (cost === null || found === null) expect(found).toBe(cost)
	else expect(found).toBeCloseTo(cost, 9)
})

test('cached input is counted once', () => {
	const tokens = {
		inputTokens: 1000,
		cachedInputTokens: 600,
		cacheWriteInputTokens: 100,
		outputTokens: 7,
	}
	expect(usageBody(tokens, 'unheard-of')).toEqual({
		message: null,
		model: 'unheard-of',
		input: 300,
		cache_read: 600,
		cache_write: 100,
		output: 7,
		cost_usd: null,
		cost_source: 'none',
	})
})
