/** The state of things: connection, hosts, decisions, and what goes wrong. */
import { describe, expect, test } from 'vitest'
import { keys } from './_screen.ts'
import { first, Stage, second, twoWaiting } from './_stage.ts'
import {
	at,
	info,
	message,
	request,
	requestBody,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

describe('the connection', () => {
	test.concurrent('stands in the header; lost, with the time of the last contact, and never in the way', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		expect(screen.lines()[0]).toContain('● connected')
		stage.viewer.connection.set({ state: 'lost', lastContact: at(60), why: 'ECONNRESET' })
		await screen.until(/✗ connection lost, last contact \d\d:\d\d/)
		expect(screen.text()).toContain('▸⚠ api-server')
		await screen.press('p')
		await screen.until('permission requests')
		stage.viewer.connection.set({ state: 'live', lastContact: at(0), why: null })
		await screen.until('● connected')
	})

	test.concurrent('while it is made, nothing is said to be empty', async () => {
		await using stage = new Stage()
		stage.viewer.connection.set({ state: 'connecting', lastContact: null, why: null })
		const screen = await stage.open()
		expect(screen.text()).toContain('○ connecting')
		expect(screen.text()).not.toContain('Start an agent')
		stage.viewer.connection.set({ state: 'live', lastContact: at(0), why: null })
		await screen.until('Start an agent')
	})

	test.concurrent('that is not there yet keeps nothing back that was read', async () => {
		await using stage = new Stage()
		stage.viewer.connection.set({ state: 'connecting', lastContact: at(0), why: null })
		const screen = await stage.open()
		expect(screen.text()).toContain('○ connecting')
		expect(screen.text()).toContain('Start an agent')
	})

	test.concurrent('a device log that does not verify is a red line on every screen', async () => {
		await using stage = twoWaiting()
		stage.viewer.info.set({ ...info, alarm: 'The device log was rewritten.' })
		const screen = await stage.open()
		for (const key of ['', 'p', '?']) {
			if (key !== '') await screen.press(key)
			expect(screen.lines()[1]).toBe(' ✗ The device log was rewritten.')
			const cell = screen.term.buffer.active.getLine(1)?.getCell(1)
			expect(cell?.getFgColor()).toBe(1)
		}
	})
})

describe('a host that is silent', () => {
	test.concurrent('is not said to run, whatever its row says', async () => {
		await using stage = new Stage()
		stage.viewer.sessions.set([summary({ stale: true })])
		const screen = await stage.open()
		expect(screen.text()).toMatch(/▸\? api-server +silent/)
		expect(screen.lines()[0]).not.toContain('live')
		await screen.press(keys.enter)
		await screen.until(/api-server · claude · silent since \d\d:\d\d/)
	})

	test.concurrent('and asks: the card says that an answer waits for it', async () => {
		await using stage = twoWaiting()
		stage.viewer.sessions.update((all) => all.map((each) => ({ ...each, stale: true })))
		const screen = await stage.open()
		expect(screen.text()).toMatch(/⚠ api-server +silent/)
		expect(screen.text()).toContain('? its host is silent: an answer reaches it when it is back')
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toHaveLength(1)
	})
})

describe('what becomes of an answer', () => {
	test.concurrent('its stages, one after the other', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press('p', keys.enter)
		await screen.look()
		await screen.press('a')
		expect(screen.text()).toContain('allow once: ✓ sent  … stored  · verified  · applied')
		stage.viewer.reach(first, 'stored')
		await screen.until('✓ sent  ✓ stored  … verified  · applied')
		stage.viewer.reach(first, 'verified')
		await screen.until('✓ stored  ✓ verified  … applied')
		stage.viewer.reach(first, 'applied')
		stage.viewer.settle(first, 'approved')
		await screen.until('✓ verified  ✓ applied')
		expect(screen.text()).toContain('✓ allowed once on laptop · signature checked')
	})

	test.concurrent.each([
		['expired', {}, 'expired: the answer came too late'],
		['withdrawn', {}, 'withdrawn: it was answered where the agent runs'],
		[
			'lost',
			{ winner: { id: uuid(902), name: 'desk', result: 'denied' } },
			'lost to desk, who denied it',
		],
		['refused', { why: 'The rule is unknown.' }, 'refused by the host (The rule is unknown.)'],
		[
			'failed',
			{ why: 'No answer in 30 s.' },
			'failed: the answer did not arrive (No answer in 30 s.)',
		],
	] as const)('or its end: %s', async (stagename, change, text) => {
		for (const way of [[], ['p'], [keys.enter]]) {
			await using stage = twoWaiting()
			const screen = await stage.open({ columns: 120, rows: 40 })
			await screen.press(...way)
			await screen.look()
			await screen.press('d')
			stage.viewer.reach(first, 'stored')
			stage.viewer.reach(first, stagename, change)
			await screen.until('✗ ')
			expect((await screen.settled()).replaceAll(/\s*\n[^│\n]*│?\s*/g, ' ')).toContain(
				text.slice(0, 30),
			)
		}
	})

	test.concurrent.each(['refused', 'failed'] as const)('%s can be answered again', async (end) => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		await screen.press('a')
		stage.viewer.reach(first, end)
		await screen.until('✗ ')
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toHaveLength(2)
	})

	test.concurrent('an answer that could not even be begun is said', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		const { decide } = stage.viewer
		stage.viewer.decide = (...args) => ({
			...decide.apply(stage.viewer, args),
			done: Promise.reject(new Error('offline')),
		})
		await screen.press('a')
		await screen.until('The answer could not be sent: try again.')
	})
})

describe('a request that waits', () => {
	test.concurrent('is counted on every screen, in the title, and rings once', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		expect(screen.titles.at(-1)).toBe('(2) styrby')
		expect(screen.bells).toHaveLength(0)
		for (const key of [keys.enter, 'p', keys.enter, '?']) {
			await screen.press(key)
			expect(screen.lines()[0]).toContain('⚠ 2 waiting')
		}
		stage.viewer.requests.update((all) => [...all, request(uuid(13))])
		await screen.until('⚠ 3 waiting')
		expect(screen.bells).toHaveLength(1)
		expect(screen.titles.at(-1)).toBe('(3) styrby')
		stage.viewer.requests.update((all) => [...all])
		stage.viewer.settle(second, 'denied')
		await screen.until('⚠ 2 waiting')
		expect(screen.bells).toHaveLength(1)
	})

	test.concurrent('is told outside only in words of ours, and only in the ways that are on', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open({ notifications: { title: false, bell: false } })
		stage.viewer.requests.update((all) => [...all, request(uuid(13), { project: 'secret' })])
		await screen.until('⚠ 3 waiting')
		expect(screen.titles).toEqual([])
		expect(screen.bells).toEqual([])
		expect(screen.written).toContain('\u001B]9;Agents ask for permission: 3 requests wait\u0007')
		expect(screen.written).not.toContain('secret\u0007')
	})

	test.concurrent('n goes from one to the next, and around', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press('n')
		await screen.until('npm publish')
		await screen.press('n')
		await screen.until('npm install')
		await screen.press('p', 'n')
		await screen.until(/▸⚠ web/)
	})

	test.concurrent('counts its last minutes by the second, and says when there are none', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		expect(screen.text()).toContain('4:32 left')
		await screen.wait(3000)
		await screen.until('4:29 left')
		await screen.wait(400_000)
		await screen.until('time is up')
	})
})

describe('going wrong', () => {
	test.concurrent('a mistake of the program gives the terminal back and is told in three lines', async () => {
		await using stage = new Stage()
		stage.viewer.sessions.set([summary()])
		const screen = await stage.open()
		const broken = summary({ id: uuid(2) })
		Object.defineProperty(broken, 'tokens', {
			get: () => {
				throw new Error('broken \u001B]2;x\u0007 data')
			},
		})
		Object.defineProperty(
			broken,
			'project',
			Object.getOwnPropertyDescriptor(broken, 'tokens') ?? {},
		)
		stage.viewer.sessions.set([broken])
		expect(await screen.exited).toEqual({ exitCode: 1 })
		await screen.settled()
		expect(screen.term.buffer.active.type).toBe('normal')
		expect(screen.written.lastIndexOf('\u001B[?25h')).toBeGreaterThan(
			screen.written.lastIndexOf('\u001B[?25l'),
		)
		expect(screen.stderr.trimEnd().split('\n')).toHaveLength(3)
		expect(screen.stderr).toContain('Error: broken \\x1b]2;x\\x07 data')
		expect(screen.log).toHaveLength(1)
	})

	test.concurrent('what can not be loaded is said, once, and the rest goes on', async () => {
		await using stage = new Stage()
		stage.viewer.sessions.set([summary()])
		const open = stage.viewer.open.bind(stage.viewer)
		stage.viewer.open = (session) => ({
			...open(session),
			loadOlder: () => Promise.reject(new Error('offline')),
		})
		const messages = Array.from({ length: 30 }, (_, index) => say(index + 50, `message ${index}.`))
		stage.viewer.transcript(uuid(1)).set(transcript(messages, { hasOlder: true }))
		const screen = await stage.open()
		await screen.press(keys.enter, ...Array.from({ length: 6 }, () => keys.pageUp))
		await screen.until('Could not load more.')
		expect(screen.log.length).toBeGreaterThan(0)
		await screen.press('G')
		await screen.until('message 29.')
	})

	test.concurrent('a request of which only the message is left says so', async () => {
		await using stage = new Stage()
		stage.viewer.sessions.set([summary()])
		const asked = message(1, 'permission_request', requestBody('gone'))
		stage.viewer.transcript(uuid(1)).set(transcript([asked]))
		const screen = await stage.open()
		await screen.press(keys.enter)
		await screen.until('no answer in what is loaded')
		await screen.look()
		await screen.press('a', 'd')
		expect(stage.answers()).toEqual([])
	})
})

describe('leaving', () => {
	test.concurrent.each([
		['q', 0],
		[keys.ctrlC, 130],
	] as const)('%j gives the terminal and the title back', async (key, code) => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press(key)
		expect(await screen.exited).toEqual({ exitCode: code })
		await screen.settled()
		expect(screen.term.buffer.active.type).toBe('normal')
		expect(screen.written.endsWith('\u001B[23;2t')).toBe(true)
		expect(stage.viewer.open_).toBe(0)
	})
})
