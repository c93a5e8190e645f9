import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
	isTooSmall,
	listTop,
	oneBelow,
	sideBySide,
	smallest,
	twoPaneColumns,
} from '../../source/ui/layout.ts'

test('panes side by side take all columns but the one between them', () => {
	fc.assert(
		fc.property(fc.integer({ min: twoPaneColumns, max: 500 }), (columns) => {
			const { list, rest } = sideBySide(columns)
			expect(list + 1 + rest).toBe(columns)
			expect(list).toBeGreaterThanOrEqual(32)
			expect(rest).toBeGreaterThan(list)
		}),
	)
})

test('panes one below the other take all rows but their two titles', () => {
	fc.assert(
		fc.property(fc.integer({ min: 8, max: 200 }), fc.nat(300), (rows, wanted) => {
			const { list, rest } = oneBelow(rows, wanted)
			expect(list + rest + 2).toBe(rows)
			expect(list).toBeGreaterThanOrEqual(2)
			expect(rest).toBeGreaterThan(0)
		}),
	)
})

test('the highlighted row of a list is in view, and the list is never scrolled beyond its end', () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 60 }),
			fc.integer({ min: 1, max: 500 }),
			fc.nat(),
			(height, total, at) => {
				const selected = at % total
				const top = listTop(selected, height, total)
				expect(selected).toBeGreaterThanOrEqual(top)
				expect(selected).toBeLessThan(top + height)
				expect(top).toBeLessThanOrEqual(Math.max(0, total - height))
			},
		),
	)
})

test('a list moves seldom: not with every step', () => {
	const tops = Array.from({ length: 40 }, (_, selected) => listTop(selected, 20, 100))
	expect(new Set(tops).size).toBeLessThan(6)
})

test('too small is below 30×8', () => {
	expect(isTooSmall(smallest)).toBe(false)
	expect(isTooSmall({ ...smallest, rows: smallest.rows - 1 })).toBe(true)
	expect(isTooSmall({ ...smallest, columns: smallest.columns - 1 })).toBe(true)
})
