import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Batch } from '../../source/ui/batch.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A batch of 100 ms, and the times at which it told. */
function batchOf() {
	const start = performance.now()
	const told: number[] = []
	const batch = new Batch(100, () => told.push(Math.round(performance.now() - start)))
	return { batch, told, pass: (ms: number) => vi.advanceTimersByTime(ms) }
}

test('the first change after a quiet time is told at once, those after it together', () => {
	const { batch, told, pass } = batchOf()
	batch.changed()
	pass(10)
	batch.changed()
	pass(20)
	batch.changed()
	pass(300)
	expect(told).toEqual([expect.any(Number), expect.any(Number)])
	expect(told[0]).toBeLessThanOrEqual(1)
	expect(told[1]).toBeGreaterThanOrEqual(100)
	expect(told[1]).toBeLessThanOrEqual(102)
})

test('soon does not wait for the others, and takes them along', () => {
	const { batch, told, pass } = batchOf()
	batch.changed()
	pass(30)
	batch.changed()
	batch.soon()
	pass(300)
	expect(told).toHaveLength(2)
	expect(told[1]).toBeLessThanOrEqual(32)
})

test('soon is told once a frame, however often it is asked for', () => {
	const { batch, told, pass } = batchOf()
	for (let ms = 0; ms < 100; ms++) {
		batch.soon()
		pass(1)
	}
	expect(told.length).toBeLessThanOrEqual(7)
	expect(told.length).toBeGreaterThanOrEqual(5)
})

test('later is told within the time, and keeps a change after it from nothing', () => {
	const { batch, told, pass } = batchOf()
	batch.later()
	pass(99)
	expect(told).toEqual([])
	pass(5)
	expect(told).toHaveLength(1)
	batch.changed()
	pass(1)
	expect(told).toHaveLength(2)
})

test('nothing is told after it was disposed of', () => {
	const { batch, told, pass } = batchOf()
	batch.changed()
	batch[Symbol.dispose]()
	pass(500)
	expect(told).toEqual([])
})
