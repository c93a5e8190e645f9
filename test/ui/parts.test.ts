import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { Batch } from '../../source/ui/batch.ts'
import { OpenSession } from '../../source/ui/open-session.ts'
import { remember } from '../../source/ui/remember.ts'
import { placeWindow } from '../../source/ui/transcript/place-window.ts'
import type { Items, Window } from '../../source/ui/viewport.ts'
import { ScriptedViewer } from './_viewer.ts'

type Placed = ReturnType<typeof placeWindow>

describe('collected changes', () => {
	test('are told together, and at once after a quiet time', async () => {
		const tell = vi.fn()
		using batch = new Batch(50, tell)
		batch.changed()
		batch.changed()
		expect(tell).not.toHaveBeenCalled()
		await vi.waitFor(() => expect(tell).toHaveBeenCalledTimes(1))
		for (let change = 0; change < 100; change++) batch.changed()
		await vi.waitFor(() => expect(tell).toHaveBeenCalledTimes(2))
		await sleep(80)
		expect(tell).toHaveBeenCalledTimes(2)
	})

	test('are told at once when that is wanted, and not again', async () => {
		const tell = vi.fn()
		using batch = new Batch(20, tell)
		batch.changed()
		batch.flush()
		expect(tell).toHaveBeenCalledTimes(1)
		await sleep(40)
		expect(tell).toHaveBeenCalledTimes(1)
	})

	test('are not told any more after the end', async () => {
		const tell = vi.fn()
		const batch = new Batch(10, tell)
		batch.changed()
		batch[Symbol.dispose]()
		await sleep(30)
		expect(tell).not.toHaveBeenCalled()
	})
})

describe('the one open session', () => {
	const noBatch = { changed: () => undefined, later: () => undefined }

	test('opens at once, and another only after the highlight rested on it', async () => {
		const viewer = new ScriptedViewer()
		await using open = new OpenSession(viewer, noBatch)
		open.show('a', 'at rest')
		expect(viewer.opened).toEqual(['a'])
		open.show('b', 'at rest')
		open.show('c', 'at rest')
		expect(viewer.opened).toEqual(['a'])
		await vi.waitFor(() => expect(viewer.opened).toEqual(['a', 'c']))
		expect(viewer.open_).toBe(1)
		open.show('d', 'now')
		expect(viewer.opened).toEqual(['a', 'c', 'd'])
		open.show('d', 'now')
		expect(viewer.opened).toHaveLength(3)
	})

	test('is closed at the end', async () => {
		const viewer = new ScriptedViewer()
		const open = new OpenSession(viewer, noBatch)
		open.show('a', 'now')
		open.show('b', 'at rest')
		await open[Symbol.asyncDispose]()
		expect(viewer.open_).toBe(0)
		await sleep(200)
		expect(viewer.opened).toEqual(['a'])
	})
})

describe('following with jumps', () => {
	const items = (count: number): Items<string> => ({
		count,
		key: (index) => `k${index}`,
		indexOf: (key) => (Number(key.slice(1)) < count ? Number(key.slice(1)) : -1),
		lines: (index) => [`line ${index}`],
	})

	test('rows stand still while what is new fits under them, then move on by half a page', () => {
		let jump = null as Window['top']
		let moves = 0
		for (let count = 30; count < 130; count++) {
			const placed: Placed = placeWindow(items(count), { anchor: null, jump }, 20, true)
			if (placed.jump?.key !== jump?.key) moves++
			expect(placed.window.slices.at(-1)?.index).toBe(count - 1)
			expect(placed.window.height).toBeLessThanOrEqual(20)
			jump = placed.jump
		}
		expect(moves).toBeLessThan(13)
	})

	test('without jumps every new line moves them', () => {
		const { window, jump } = placeWindow(items(30), { anchor: null, jump: null }, 20, false)
		expect(window.slices).toHaveLength(20)
		expect(jump).toBeNull()
	})
})

test('what is remembered is made once', () => {
	const make = vi.fn(() => 'made')
	const store = new Map<string, string>()
	expect([remember(store, 'a', make), remember(store, 'a', make)]).toEqual(['made', 'made'])
	expect(make).toHaveBeenCalledTimes(1)
})
