import { expect, test } from 'vitest'
import { takeTurns } from '../../benchmark/harness/sample.ts'

test('takes turns, in another order each round, and leaves the first round out', async () => {
	const order: string[] = []
	let count = 0
	const measure = (name: string) => () => {
		order.push(name)
		return ++count
	}
	const measures = { a: measure('a'), b: measure('b'), c: measure('c') }
	const samples = await takeTurns(measures, { least: 2, most: 2 })
	expect(order.join('')).toBe('abcbcacab')
	expect(samples.of('a')).toEqual([6, 8])
	expect(samples.of('b')).toEqual([4, 9])
})

test('goes on while the samples are spread, up to the most', async () => {
	let count = 0
	const noisy = () => (count++ % 2 === 0 ? 10 : 30)
	const samples = await takeTurns({ noisy, calm: () => 5 }, { least: 3, most: 12 })
	expect(samples.of('noisy')).toHaveLength(12)
	const calm = await takeTurns({ a: () => 5, b: () => 10 }, { least: 3, most: 12 })
	expect(calm.of('a')).toHaveLength(3)
	expect(calm.ratio('b', 'a')).toBe(2)
})

test('no samples of what was not measured', async () => {
	const samples = await takeTurns({ a: () => 1 }, { least: 1, most: 1 })
	expect(() => samples.of('b')).toThrow(RangeError)
})
