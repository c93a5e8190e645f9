import fc from 'fast-check'
import { expect, test } from 'vitest'
import { median, pairedRatio, quantile, spread } from '../../benchmark/harness/statistics.ts'

test('the median is the middle, or between the two in the middle', () => {
	expect(median([3, 1, 2])).toBe(2)
	expect(median([4, 1, 3, 2])).toBe(2.5)
	expect(median([7])).toBe(7)
})

test('a quantile lies between its neighbours in proportion', () => {
	const samples = [10, 20, 30, 40, 50]
	expect(quantile(samples, 0)).toBe(10)
	expect(quantile(samples, 0.25)).toBe(20)
	expect(quantile(samples, 0.9)).toBeCloseTo(46)
	expect(quantile(samples, 1)).toBe(50)
	expect(() => quantile([], 0.5)).toThrow(RangeError)
})

test('the order of the samples does not matter, and they stay as they are', () => {
	const numbers = fc.array(fc.integer(), { minLength: 1 })
	fc.assert(
		fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (samples, q) => {
			const before = [...samples]
			const reversed = quantile([...samples].reverse(), q)
			expect(quantile(samples, q)).toBe(reversed)
			expect(samples).toEqual(before)
		}),
	)
})

test('the spread is that of the middle half, as a share of the median', () => {
	expect(spread([10, 10, 10, 10, 1000])).toBe(0)
	expect(spread([8, 9, 10, 11, 12])).toBeCloseTo(0.2)
	expect(spread([0, 0, 0])).toBe(0)
})

test('what slows both down for a while cancels out of a paired ratio', () => {
	const floors = [10, 10, 50, 50, 10]
	const samples = floors.map((floor) => floor * 1.5)
	expect(pairedRatio(samples, floors)).toBe(1.5)
	expect(median(samples) / median(floors)).toBe(1.5)
	// One disturbed pair of five changes nothing.
	expect(pairedRatio([15, 15, 900, 75, 15], floors)).toBe(1.5)
})

test('a paired ratio takes only whole pairs', () => {
	expect(pairedRatio([20, 20, 20], [10, 10])).toBe(2)
})
