import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
	type Anchor,
	type Items,
	moveAnchor,
	type Window,
	windowAt,
	windowAtEnd,
} from '../../source/ui/viewport.ts'

/** Items of so many lines each; says which were looked at. */
function itemsOf(sizes: readonly number[]): Items<string> & { looked: Set<number> } {
	const looked = new Set<number>()
	return {
		looked,
		count: sizes.length,
		key: (index) => `k${index}`,
		indexOf: (key) => {
			const index = Number(key.slice(1))
			return index < sizes.length ? index : -1
		},
		lines: (index) => {
			looked.add(index)
			return Array.from({ length: sizes[index] ?? 0 }, (_, line) => `${index}.${line}`)
		},
	}
}

function shown(items: Items<string>, window: Window): string[] {
	return window.slices.flatMap(({ index, from, to }) => items.lines(index).slice(from, to))
}

function allLines(items: Items<string>): string[] {
	return Array.from({ length: items.count }, (_, index) => items.lines(index)).flat()
}

const sizes = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 12 })
const height = fc.integer({ min: 1, max: 15 })

describe('a window over items of many lines', () => {
	test('at the end it shows the last lines of all of them', () => {
		fc.assert(
			fc.property(sizes, height, (lengths, rows) => {
				const items = itemsOf(lengths)
				const window = windowAtEnd(items, rows)
				const all = allLines(items)
				expect(shown(items, window)).toEqual(all.slice(-rows))
				expect(window.atEnd).toBe(true)
				expect(window.atStart).toBe(all.length <= rows)
			}),
		)
	})

	test('at an anchor it shows the lines from there, or the last ones when fewer are left', () => {
		fc.assert(
			fc.property(sizes, height, fc.nat(), fc.nat(), (lengths, rows, item, line) => {
				const items = itemsOf(lengths)
				const all = allLines(items)
				if (all.length === 0) return
				const index = item % lengths.length
				const at = Math.min(line % 7, lengths[index] ?? 0)
				const before = lengths.slice(0, index).reduce((sum, each) => sum + each, 0) + at
				const start = Math.max(0, Math.min(before, all.length - rows))
				const window = windowAt(items, { key: `k${index}`, line: at }, rows)
				expect(shown(items, window)).toEqual(all.slice(start, start + rows))
				expect(window.atStart).toBe(start === 0)
				expect(window.atEnd).toBe(start + rows >= all.length)
			}),
		)
	})

	test('moving an anchor moves by lines, and not beyond the first', () => {
		fc.assert(
			fc.property(sizes, fc.nat(), fc.integer({ min: -30, max: 30 }), (lengths, item, delta) => {
				const items = itemsOf(lengths)
				const all = allLines(items)
				const index = lengths.findIndex(
					(each, at) => each > 0 && at >= item % (lengths.length || 1),
				)
				if (index < 0) return
				const before = lengths.slice(0, index).reduce((sum, each) => sum + each, 0)
				const moved = moveAnchor(items, { key: `k${index}`, line: 0 }, delta)
				const expected = Math.max(0, Math.min(before + delta, all.length))
				const line = (anchor: Anchor) => {
					const at = items.indexOf(anchor.key)
					return lengths.slice(0, at).reduce((sum, each) => sum + each, 0) + anchor.line
				}
				if (before + delta < all.length) expect(line(moved)).toBe(expected)
				else expect(line(moved)).toBeGreaterThanOrEqual(all.length)
			}),
		)
	})

	test('of a hundred thousand items only those on the screen are laid out', () => {
		const items = itemsOf(Array.from({ length: 100_000 }, () => 3))
		windowAtEnd(items, 40)
		windowAt(items, { key: 'k50000', line: 1 }, 40)
		moveAnchor(items, { key: 'k50000', line: 1 }, -40)
		expect(items.looked.size).toBeLessThan(60)
	})

	test('an anchor that is gone shows the end', () => {
		const items = itemsOf([2, 2])
		expect(shown(items, windowAt(items, { key: 'k9', line: 0 }, 2))).toEqual(['1.0', '1.1'])
	})

	test('nothing at all is a window of nothing', () => {
		expect(windowAtEnd(itemsOf([]), 5)).toEqual({
			slices: [],
			top: null,
			atStart: true,
			atEnd: true,
			height: 0,
		})
	})
})
