/** Nothing is approved by accident: keys pressed on the real screens. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { guardMs } from '../../source/ui/attention.ts'
import { keys, type Screen, type ScreenOptions, show } from './_screen.ts'
import {
	at,
	message,
	request,
	requestBody,
	ScriptedViewer,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

const [first, second] = [uuid(11), uuid(12)]
let viewer: ScriptedViewer
let screen: Screen

/** Two sessions, a request waiting in each; the older one's first. */
function twoWaiting(): void {
	viewer.sessions.set([
		summary({ pending: 1 }),
		summary({ id: uuid(2), project: 'web', pending: 1 }),
	])
	viewer.requests.set([
		request(first, { createdAt: at(60) }),
		request(second, {
			session: uuid(2),
			project: 'web',
			createdAt: at(30),
			digest: 'bb'.repeat(32),
			body: requestBody(second, { input: { command: 'npm publish' } }),
		}),
	])
	for (const [session, id] of [
		[uuid(1), first],
		[uuid(2), second],
	] as const) {
		const body = viewer.requests.get().find((each) => each.id === id)?.body
		if (!body) throw new Error('no body')
		const asked = message(2, 'permission_request', body, { session })
		viewer.transcript(session).set(transcript([say(1, 'Hello.'), asked]))
	}
}

async function open(options: ScreenOptions = {}): Promise<void> {
	screen = await show(viewer, options)
}

const answers = () =>
	viewer.decided.map(({ request: { id }, choice }) => ({
		id,
		...choice,
	}))

beforeEach(() => {
	viewer = new ScriptedViewer()
	twoWaiting()
})

afterEach(async () => {
	await screen[Symbol.asyncDispose]()
})

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
	beforeEach(async () => {
		await open(size)
		await screen.look()
		for (const key of way) await screen.press(key)
		await screen.until('npm install express-rate-limit')
		await screen.look()
	})

	test('a allows it once, and nothing that only looks like the key does', async () => {
		await screen.press('banana', '\u001B[200~a\u001B[201~', '\u001Ba')
		await screen.press('r')
		await screen.until('Why not?')
		await screen.press('n', keys.escape)
		expect(screen.text()).not.toContain('Why not?')
		expect(answers()).toEqual([])
		await screen.look()
		await screen.press('a')
		expect(answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
		await screen.until('allow once: ✓ sent')
		await screen.press('a', 'd', 'A')
		expect(answers()).toHaveLength(1)
	})

	test('r denies it with what is typed', async () => {
		await screen.press('r')
		await screen.until('Why not?')
		await screen.press(...'not a', keys.backspace, 'now', keys.enter)
		expect(answers()).toEqual([{ id: first, decision: 'deny', scope: 'once', reason: 'not now' }])
	})
})

test.each([
	['A', { decision: 'allow', scope: 'session' }],
	['d', { decision: 'deny', scope: 'once' }],
] as const)('%s answers it too', async (key, choice) => {
	await open()
	await screen.look()
	await screen.press(key)
	expect(answers()).toEqual([{ id: first, ...choice }])
})

describe('in the first moment', () => {
	test('after a request appeared, keys are not taken', async () => {
		await open()
		await screen.settled()
		await screen.press('a', 'd')
		expect(answers()).toEqual([])
		expect(screen.text()).toContain('too soon')
		await screen.wait(guardMs)
		await screen.press('a')
		expect(answers()).toHaveLength(1)
	})

	test('after another one slid under the highlight, keys are not taken', async () => {
		await open()
		await screen.look()
		viewer.sessions.update(([one, two]) => [
			...(one ? [{ ...one, pending: 0 }] : []),
			...(two ? [two] : []),
		])
		viewer.settle(first, 'denied')
		await screen.until('npm publish')
		await screen.press('a')
		expect(answers()).toEqual([])
		await screen.look()
		await screen.press('a')
		expect(answers()).toEqual([{ id: second, decision: 'allow', scope: 'once' }])
	})

	test('after the list was reordered, keys are not taken', async () => {
		await open()
		await screen.press('p')
		await screen.look()
		const third = request(uuid(13), { createdAt: at(90), project: 'etl' })
		viewer.requests.update((all) => [third, ...all])
		await screen.until('etl')
		await screen.press('d')
		expect(answers()).toEqual([])
	})

	test('that a session said something does not count as reordering', async () => {
		await open()
		await screen.look()
		viewer.sessions.update((all) => all.map((each) => ({ ...each, lastActivityAt: at(0) })))
		await screen.settled()
		await screen.press('a')
		expect(answers()).toHaveLength(1)
	})

	test('after a moved highlight, keys are not taken', async () => {
		await open()
		await screen.look()
		await screen.press('j')
		await screen.until('npm publish')
		await screen.press('a')
		expect(answers()).toEqual([])
	})

	test('after a new size, what is highlighted is still the same: keys are taken', async () => {
		await open()
		await screen.look()
		await screen.resize(120, 40)
		await screen.look()
		await screen.press('a')
		expect(answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
	})
})

describe('the whole text must have been on the screen', () => {
	const lines = Array.from({ length: 60 }, (_, line) => `echo line-${line}`)

	beforeEach(() => {
		const body = requestBody(first, { input: { command: lines.join('\n') } })
		viewer.requests.update((all) =>
			all.map((each) => (each.id === first ? { ...each, body } : each)),
		)
		const asked = message(2, 'permission_request', body)
		viewer.transcript(uuid(1)).set(transcript([say(1, 'Hello.'), asked]))
	})

	test.each([
		['below the list of sessions', []],
		['in the inbox', ['p']],
		['on a screen of its own', ['p', keys.enter]],
	] as const)('%s: allowed only after the last line, denied before', async (_, way) => {
		await open()
		await screen.look()
		await screen.press(...way)
		await screen.look()
		expect(screen.text()).toContain('more lines')
		await screen.press('a')
		await screen.press('A')
		expect(answers()).toEqual([])
		expect(screen.text()).toMatch(/lines of this request were not on the screen/)
		for (let page = 0; page < 30 && screen.text().includes('more lines'); page++) {
			await screen.press('a', keys.pageDown)
			expect(answers()).toEqual([])
		}
		await screen.until('[a] allow')
		await screen.look()
		await screen.press('a')
		expect(answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
	})

	test('jumping to the end is not reading', async () => {
		await open()
		await screen.press('p', keys.enter, 'G')
		await screen.look()
		await screen.press('a')
		expect(answers()).toEqual([])
		expect(screen.text()).toContain('lines of it not read yet')
		await screen.press('d')
		expect(answers()).toEqual([{ id: first, decision: 'deny', scope: 'once' }])
	})

	test('in a session that is followed, the part above the screen counts as unread', async () => {
		await open()
		await screen.press(keys.enter)
		await screen.look()
		expect(screen.text()).toContain('line-59')
		expect(screen.text()).not.toContain('line-0\n')
		await screen.press('a')
		expect(answers()).toEqual([])
		await screen.press(keys.enter)
		await screen.until('more lines')
	})

	test('what was read of one text says nothing of the next under the same id', async () => {
		await open()
		await screen.press('p', keys.enter)
		for (let page = 0; page < 30 && screen.text().includes('more lines'); page++)
			await screen.press(keys.pageDown)
		await screen.look()
		const body = requestBody(first, { input: { command: [...lines, 'rm -rf ~'].join('\n') } })
		viewer.requests.update((all) =>
			all.map((each) => (each.id === first ? { ...each, body, digest: 'cc'.repeat(32) } : each)),
		)
		await screen.settled()
		await screen.look()
		await screen.press('g')
		await screen.look()
		await screen.press('a')
		expect(answers()).toEqual([])
	})
})

describe('the answer goes to what the person saw', () => {
	test('a request replaced at the last moment is not answered', async () => {
		await open()
		await screen.look()
		// Known to the viewer, not on the screen yet: the key is pressed in between.
		const body = requestBody(first, { input: { command: 'rm -rf ~' } })
		viewer.requests.update((all) =>
			all.map((each) => (each.id === first ? { ...each, body, digest: 'cc'.repeat(32) } : each)),
		)
		screen.input.push('a')
		await screen.settled()
		expect(answers()).toEqual([])
	})

	test('one that was answered elsewhere at the last moment is not answered', async () => {
		await open()
		await screen.look()
		viewer.settle(first, 'denied')
		screen.input.push('a')
		await screen.settled()
		expect(answers()).toEqual([])
	})

	test('the id goes with the key, whatever is at its place by then', async () => {
		await open()
		await screen.press('p')
		await screen.look()
		viewer.requests.update(([one, two]) => [...(two ? [two] : []), ...(one ? [one] : [])])
		screen.input.push('d')
		await screen.settled()
		expect(answers()).toEqual([{ id: first, decision: 'deny', scope: 'once' }])
	})

	test('a reason is sent for the request it was begun for, or not at all', async () => {
		await open()
		await screen.press('p')
		await screen.look()
		await screen.press('r', 'n', 'o')
		const third = request(uuid(13), { createdAt: at(90), project: 'etl' })
		viewer.requests.update((all) => [third, ...all])
		await screen.settled()
		await screen.press(keys.enter)
		expect(answers()).toEqual([{ id: first, decision: 'deny', scope: 'once', reason: 'no' }])
	})

	test('a reason for a request that is gone is not sent', async () => {
		await open()
		await screen.look()
		await screen.press('r', 'n', 'o')
		viewer.settle(first, 'approved')
		await screen.settled()
		await screen.press(keys.enter)
		expect(answers()).toEqual([])
	})

	test('letters typed into a reason are no commands, and a pasted line end does not send it', async () => {
		await open()
		await screen.look()
		await screen.press('r', 'a', 'd', 'q', 'A')
		await screen.press('\u001B[200~one\rtwo\u001B[201~')
		await screen.until('adqAone two')
		expect(answers()).toEqual([])
		await screen.press(keys.enter)
		expect(answers()[0]).toMatchObject({ reason: 'adqAone two' })
	})
})

describe('what can only be denied', () => {
	test.each([
		['does not verify', { problem: 'The signature is wrong.', body: null }],
		['has no digest', { digest: null }],
	])('a request that %s', async (_, change) => {
		viewer.requests.update((all) =>
			all.map((each) => (each.id === first ? { ...each, ...change } : each)),
		)
		await open()
		await screen.look()
		await screen.press('a', 'A')
		expect(answers()).toEqual([])
		expect(screen.text()).toContain('only be denied')
		await screen.press('d')
		expect(answers()).toEqual([{ id: first, decision: 'deny', scope: 'once' }])
	})
})

test('after an answer the highlight stays with it, and what it waits for next is the one to answer', async () => {
	await open()
	await screen.look()
	await screen.press('a')
	viewer.reach(first, 'stored')
	viewer.reach(first, 'verified')
	viewer.settle(first, 'approved')
	viewer.sessions.update((all) =>
		all.map((each) => (each.id === uuid(1) ? { ...each, pending: 0 } : each)),
	)
	viewer.transcript(uuid(1)).update((state) => ({
		...state,
		messages: [...state.messages, say(3, 'Installed, now the tests.')],
	}))
	const text = await screen.until('Installed, now the tests.')
	expect(text).toMatch(/▸● api-server/)
	await screen.look()
	await screen.press('a')
	expect(answers()).toHaveLength(1)
	await screen.press('n')
	await screen.until('npm publish')
})
