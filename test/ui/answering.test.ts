/** Nothing is approved by accident: keys pressed on the real screens. */
import { describe, expect, test } from 'vitest'
import { guardMs } from '../../source/ui/attention.ts'
import { keys } from './_screen.ts'
import { first, type Stage, second, twoWaiting } from './_stage.ts'
import { at, message, request, requestBody, say, transcript, uuid } from './_viewer.ts'

describe.each([
	['sessions, 80×24', { columns: 80, rows: 24 }, []],
	['sessions, 120×40', { columns: 120, rows: 40 }, []],
	['a session, 80×24', { columns: 80, rows: 24 }, [keys.enter]],
	['a session, 120×40', { columns: 120, rows: 40 }, [keys.enter]],
	['permissions, 80×24', { columns: 80, rows: 24 }, ['p']],
	['permissions, 120×40', { columns: 120, rows: 40 }, ['p']],
	['one request, 80×24', { columns: 80, rows: 24 }, ['p', keys.enter]],
	['one request, 40×15', { columns: 40, rows: 15 }, ['p', keys.enter]],
] as const)('on %s', (_, size, way) => {
	const look = async (stage: Stage) => {
		const screen = await stage.open(size)
		await screen.look()
		for (const key of way) await screen.press(key)
		await screen.until('npm install express-rate-limit')
		await screen.look()
		return screen
	}

	test.concurrent('a allows it once, and nothing that only looks like the key does', async () => {
		await using stage = twoWaiting()
		const screen = await look(stage)
		await screen.press('bababa', '\u001B[200~a\u001B[201~', '\u001Ba')
		await screen.press('r')
		await screen.until('Why not?')
		await screen.press('n', keys.escape)
		expect(screen.text()).not.toContain('Why not?')
		expect(stage.answers()).toEqual([])
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
		await screen.until('allow once: ✓ sent')
		await screen.press('a', 'd', 'A')
		expect(stage.answers()).toHaveLength(1)
	})

	test.concurrent('r denies it with what is typed', async () => {
		await using stage = twoWaiting()
		const screen = await look(stage)
		await screen.press('r')
		await screen.until('Why not?')
		await screen.press(...'not a', keys.backspace, 'now', keys.enter)
		expect(stage.answers()).toEqual([
			{ id: first, decision: 'deny', scope: 'once', reason: 'not now' },
		])
	})
})

test.concurrent.each([
	['A', { decision: 'allow', scope: 'session' }],
	['d', { decision: 'deny', scope: 'once' }],
] as const)('%s answers it too', async (key, choice) => {
	await using stage = twoWaiting()
	const screen = await stage.open()
	await screen.look()
	await screen.press(key)
	expect(stage.answers()).toEqual([{ id: first, ...choice }])
})

describe('in the first moment', () => {
	test.concurrent('after a request appeared, keys are not taken', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.settled()
		await screen.press('a', 'd')
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toContain('too soon')
		await screen.wait(guardMs)
		await screen.press('a')
		expect(stage.answers()).toHaveLength(1)
	})

	test.concurrent('after another one slid under the highlight, keys are not taken', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		stage.viewer.sessions.update(([one, two]) => [
			...(one ? [{ ...one, pending: 0 }] : []),
			...(two ? [two] : []),
		])
		stage.viewer.settle(first, 'denied')
		await screen.until('npm publish')
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([{ id: second, decision: 'allow', scope: 'once' }])
	})

	test.concurrent('after the list was reordered, keys are not taken', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press('p')
		await screen.look()
		const third = request(uuid(13), { createdAt: at(90), project: 'etl' })
		stage.viewer.requests.update((all) => [third, ...all])
		await screen.until('etl')
		await screen.press('d')
		expect(stage.answers()).toEqual([])
	})

	test.concurrent('that a session said something does not count as reordering', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		stage.viewer.sessions.update((all) => all.map((each) => ({ ...each, lastActivityAt: at(0) })))
		await screen.settled()
		await screen.press('a')
		expect(stage.answers()).toHaveLength(1)
	})

	test.concurrent('after a moved highlight, keys are not taken', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		await screen.press('j')
		await screen.until('npm publish')
		await screen.press('a')
		expect(stage.answers()).toEqual([])
	})

	test.concurrent('after a new size, what is highlighted is still the same: keys are taken', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		await screen.resize(120, 40)
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
	})
})

describe('the whole text must have been on the screen', () => {
	const lines = Array.from({ length: 60 }, (_, line) => `echo line-${line}`)

	const longRequest = () => {
		const stage = twoWaiting()
		const body = requestBody(first, { input: { command: lines.join('\n') } })
		stage.change(first, { body })
		const asked = message(2, 'permission_request', body)
		stage.viewer.transcript(uuid(1)).set(transcript([say(1, 'Hello.'), asked]))
		return stage
	}

	test.concurrent.each([
		['below the list of sessions', []],
		['in the inbox', ['p']],
		['on a screen of its own', ['p', keys.enter]],
	] as const)('%s: allowed only after the last line, denied before', async (_, way) => {
		await using stage = longRequest()
		const screen = await stage.open()
		await screen.look()
		await screen.press(...way)
		await screen.look()
		expect(screen.text()).toContain('more lines')
		await screen.press('a')
		await screen.press('A')
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toMatch(/lines of this request were not on the screen/)
		for (let page = 0; page < 30 && screen.text().includes('more lines'); page++) {
			await screen.press('a', keys.pageDown)
			expect(stage.answers()).toEqual([])
		}
		await screen.until('[a] allow')
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
	})

	test.concurrent('jumping to the end is not reading', async () => {
		await using stage = longRequest()
		const screen = await stage.open()
		await screen.press('p', keys.enter, 'G')
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toContain('lines of it not read yet')
		await screen.press('d')
		expect(stage.answers()).toEqual([{ id: first, decision: 'deny', scope: 'once' }])
	})

	test.concurrent('in a session that is followed, the part above the screen counts as unread', async () => {
		await using stage = longRequest()
		const screen = await stage.open()
		await screen.press(keys.enter)
		await screen.look()
		expect(screen.text()).toContain('line-59')
		expect(screen.text()).not.toContain('line-0\n')
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		await screen.press(keys.enter)
		await screen.until('more lines')
	})

	test.concurrent('what was read of one text says nothing of the next under the same id', async () => {
		await using stage = longRequest()
		const screen = await stage.open()
		await screen.press('p', keys.enter)
		for (let page = 0; page < 30 && screen.text().includes('more lines'); page++)
			await screen.press(keys.pageDown)
		await screen.look()
		const body = requestBody(first, { input: { command: [...lines, 'rm -rf ~'].join('\n') } })
		stage.change(first, { body, digest: 'cc'.repeat(32) })
		await screen.settled()
		await screen.look()
		await screen.press('g')
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([])
	})
})

describe('the answer goes to what the person saw', () => {
	test.concurrent('a request replaced at the last moment is not answered', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		// Known to the viewer, not on the screen yet: the key is pressed in between.
		const body = requestBody(first, { input: { command: 'rm -rf ~' } })
		stage.change(first, { body, digest: 'cc'.repeat(32) })
		screen.input.push('a')
		await screen.settled()
		expect(stage.answers()).toEqual([])
	})

	test.concurrent('one that was answered elsewhere at the last moment is not answered', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		stage.viewer.settle(first, 'denied')
		screen.input.push('a')
		await screen.settled()
		expect(stage.answers()).toEqual([])
	})

	test.concurrent('the id goes with the key, whatever is at its place by then', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press('p')
		await screen.look()
		stage.viewer.requests.update(([one, two]) => [...(two ? [two] : []), ...(one ? [one] : [])])
		screen.input.push('d')
		await screen.settled()
		expect(stage.answers()).toEqual([{ id: first, decision: 'deny', scope: 'once' }])
	})

	test.concurrent('a reason is sent for the request it was begun for, or not at all', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press('p')
		await screen.look()
		await screen.press('r', 'n', 'o')
		const third = request(uuid(13), { createdAt: at(90), project: 'etl' })
		stage.viewer.requests.update((all) => [third, ...all])
		await screen.settled()
		await screen.press(keys.enter)
		expect(stage.answers()).toEqual([{ id: first, decision: 'deny', scope: 'once', reason: 'no' }])
	})

	test.concurrent('a reason for a request that is gone is not sent', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		await screen.press('r', 'n', 'o')
		stage.viewer.settle(first, 'approved')
		await screen.settled()
		await screen.press(keys.enter)
		expect(stage.answers()).toEqual([])
	})

	test.concurrent('letters typed into a reason are no commands, and a pasted line end does not send it', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		await screen.press('r', 'a', 'd', 'q', 'A')
		await screen.press('\u001B[200~one\rtwo\u001B[201~')
		await screen.until('adqAone two')
		expect(stage.answers()).toEqual([])
		await screen.press(keys.enter)
		expect(stage.answers()[0]).toMatchObject({ reason: 'adqAone two' })
	})
})

describe('what can only be denied', () => {
	test.concurrent.each([
		['does not verify', { problem: 'The signature is wrong.', body: null }],
		['has no digest', { digest: null }],
	])('a request that %s', async (_, change) => {
		await using stage = twoWaiting()
		stage.change(first, { ...change })
		const screen = await stage.open()
		await screen.look()
		await screen.press('a', 'A')
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toContain('only be denied')
		await screen.press('d')
		expect(stage.answers()).toEqual([{ id: first, decision: 'deny', scope: 'once' }])
	})
})

test.concurrent('after an answer the highlight stays with it, and what it waits for next is the one to answer', async () => {
	await using stage = twoWaiting()
	const screen = await stage.open()
	await screen.look()
	await screen.press('a')
	stage.viewer.reach(first, 'stored')
	stage.viewer.reach(first, 'verified')
	stage.viewer.settle(first, 'approved')
	stage.viewer.sessions.update((all) =>
		all.map((each) => (each.id === uuid(1) ? { ...each, pending: 0 } : each)),
	)
	stage.viewer.transcript(uuid(1)).update((state) => ({
		...state,
		messages: [...state.messages, say(3, 'Installed, now the tests.')],
	}))
	const text = await screen.until('Installed, now the tests.')
	expect(text).toMatch(/▸● api-server/)
	await screen.look()
	await screen.press('a')
	expect(stage.answers()).toHaveLength(1)
	await screen.press('n')
	await screen.until('npm publish')
})
