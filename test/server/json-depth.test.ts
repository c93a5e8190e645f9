import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nestsDeeper } from '../../source/server/json-depth.ts'

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

function depthOf(value: unknown): number {
	if (typeof value !== 'object' || value === null) return 0
	return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('allows as many levels as it says, and no more', () => {
	expect(nestsDeeper(nested(64))).toBe(false)
	expect(nestsDeeper(nested(65))).toBe(true)
	expect(nestsDeeper(`{"a":${nested(64)}}`)).toBe(true)
	expect(nestsDeeper(`[${Array.from({ length: 100 }, () => '[]').join(',')}]`, 2)).toBe(false)
})

test('counts no bracket inside a string, whatever is escaped there', () => {
	expect(nestsDeeper(JSON.stringify(['[[[[', '\\"[[[', '\\\\', '"']), 1)).toBe(false)
	expect(nestsDeeper('["\\\\",[[', 2)).toBe(true)
	expect(nestsDeeper('["unfinished [[[', 1)).toBe(false)
})

test('agrees with the parsed value', () => {
	const value = fc.jsonValue({ maxDepth: 6 })
	fc.assert(
		fc.property(value, fc.nat(6), (json, limit) => {
			expect(nestsDeeper(JSON.stringify(json), limit)).toBe(depthOf(json) > limit)
		}),
	)
})
