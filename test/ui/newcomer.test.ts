/** What somebody who has never seen the program finds with the keys on the screen alone. */
import { describe, expect, test } from 'vitest'
import { keys } from './_screen.ts'
import { first, second, twoWaiting } from './_stage.ts'
import { request, uuid } from './_viewer.ts'

describe('the keys named on the screen', () => {
	test.concurrent.each([
		[
			80,
			24,
			['a allow', '⏎ open', 'n next', 'p permissions', '/ search', 'f filter', '? all keys'],
		],
		[40, 15, ['⏎ open', 'n next', 'p permissions', '/ search', 'f filter', '? all keys']],
	])('of the sessions, %d×%d, while a request waits', async (columns, rows, hints) => {
		await using stage = twoWaiting()
		const screen = await stage.open({ columns, rows })
		for (const hint of hints) expect(screen.text()).toContain(hint)
	})

	test.concurrent('of a session, 40×15: two lines of them', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open({ columns: 40, rows: 15 })
		await screen.press(keys.enter)
		const hints = (await screen.settled()).split('\n').slice(-2).join(' ')
		for (const hint of ['a allow', 'd deny', 'r deny, say why', 'A for session', 'esc back']) {
			expect(hints).toContain(hint)
		}
	})
})

test('requests that wait stay in view while an answered one is highlighted', async () => {
	await using stage = twoWaiting()
	const past = Array.from({ length: 30 }, (_, index) =>
		request(uuid(100 + index), { status: 'approved', project: `past-${index}` }),
	)
	stage.viewer.requests.update((all) => [...all, ...past])
	const screen = await stage.open({ columns: 80, rows: 24 })
	await screen.press('p')
	for (let press = 0; press < 12; press++) await screen.press(keys.down)
	const text = await screen.until(/▸.*past-/)
	expect(text).toContain('waiting for you 2')
	expect(text).toMatch(/⚠ api-server/)
	expect(text).toMatch(/⚠ web/)
})

test('a remark gives its line back to the keys with the next key, once it was seen', async () => {
	await using stage = twoWaiting()
	const screen = await stage.open({ columns: 80, rows: 24 })
	await screen.press('z')
	await screen.until('that comes first')
	await screen.wait(900)
	await screen.press('$')
	expect(await screen.until('━ cost')).not.toContain('that comes first')
	expect(screen.text()).toContain('? all keys')
})

test('a remark longer than the line takes the lines it needs', async () => {
	await using stage = twoWaiting()
	const screen = await stage.open({ columns: 40, rows: 15 })
	await screen.press('z')
	await screen.until(/It waits for an answer: that comes\n first\./)
})

test('why there is no connection is on the screen', async () => {
	await using stage = twoWaiting()
	const screen = await stage.open({ columns: 80, rows: 24 })
	stage.viewer.connection.set({ state: 'lost', lastContact: null, why: 'The backend is gone.' })
	await screen.until('connection lost')
	await screen.until(/^ The backend is gone\./m)
})

test('a reason that could not be sent is not typed again', async () => {
	await using stage = twoWaiting()
	const screen = await stage.open({ columns: 80, rows: 24 })
	await screen.wait(1000)
	await screen.press('r')
	await screen.press('not on a Friday')
	stage.change(first, { status: 'cancelled' })
	await screen.wait(1000)
	await screen.press(keys.enter)
	await screen.until('the next reason')
	await screen.press('n')
	await screen.wait(1000)
	await screen.press('r')
	await screen.until('› not on a Friday')
	await screen.press(keys.enter)
	expect(stage.answers()).toMatchObject([
		{ id: second, decision: 'deny', reason: 'not on a Friday' },
	])
})
