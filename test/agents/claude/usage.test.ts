import fc from 'fast-check'
import { expect, test } from 'vitest'
import { costOf, exactDifference, pricesOf } from '../../../source/agents/claude/usage.ts'

test.each([
	['claude-opus-5-5', 4],
	['claude-opus-5', 5],
	['claude-sonnet-4-5-20250929', 3],
	['claude-sonnet-4-20250514', 3],
	['claude-sonnet-4-5[1m]', 3],
	['us.anthropic.claude-haiku-4-5-20251001-v1:0', 1],
	['claude-opus-4-1@20250805', 15],
	['claude-3-5-haiku-20241022', 0.8],
])('%s has its price', (model, input) => {
	expect(pricesOf(model)?.input).toBe(input)
})

test.each([null, '', 'gpt-9', 'claude-nova-77', 'claude-opus-55', '<synthetic>'])(
	'%s has none',
	(model) => {
		expect(pricesOf(model)).toBeNull()
	},
)

const usage = {
	input_tokens: 1200,
	output_tokens: 57,
	cache_read_input_tokens: 9000,
	cache_creation_input_tokens: 300,
	cache_creation: null,
}

test('a cost is what the agent itself makes of it', () => {
	expect(costOf('claude-opus-5-5', usage)).toBeCloseTo(0.00924, 12)
})

test('a cache write for an hour has a price of its own', () => {
	const written = {
		...usage,
		cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 100 },
	}
	expect(costOf('claude-opus-5-5', written)).toBeCloseTo(0.00924 + 0.0003, 12)
	expect(costOf('claude-nova-77', usage)).toBeNull()
})

test('differences of a running total add up to it exactly', () => {
	const price = fc.integer({ min: 0, max: 1e9 }).map((n) => n / 1e7)
	fc.assert(
		fc.property(fc.array(price, { minLength: 1 }), (parts) => {
			let total = 0
			let sum = 0
			for (const part of parts) {
				total += part
				sum += exactDifference(total, sum)
				expect(sum).toBe(total)
			}
		}),
	)
})
