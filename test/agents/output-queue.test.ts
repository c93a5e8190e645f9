import { expect, test } from 'vitest'
import { OutputQueue } from '../../source/agents/output-queue.ts'

test('gives everything in order, also what comes while it is read and after it was waited for', async () => {
	const queue = new OutputQueue<number>()
	queue.push(1, 2)
	const seen: number[] = []
	const reading = (async () => {
		for await (const item of queue) {
			seen.push(item)
			if (item === 2) queue.push(3)
		}
	})()
	await new Promise((resolve) => setImmediate(resolve))
	queue.push(4)
	queue.close()
	queue.push(5)
	await reading
	expect(seen).toEqual([1, 2, 3, 4])
})

test('makes who fills it wait while much is unread, until it is read or flushed', async () => {
	const queue = new OutputQueue<number>(2)
	queue.push(1)
	await queue.room()
	queue.push(2, 3)
	let room = 0
	void queue.room().then(() => room++)
	await new Promise((resolve) => setImmediate(resolve))
	expect(room).toBe(0)
	const items = queue[Symbol.asyncIterator]()
	await items.next()
	await items.next()
	await new Promise((resolve) => setImmediate(resolve))
	expect(room).toBe(1)
	queue.push(4, 5)
	void queue.room().then(() => room++)
	queue.flush()
	await new Promise((resolve) => setImmediate(resolve))
	expect(room).toBe(2)
	await queue.room()
})
