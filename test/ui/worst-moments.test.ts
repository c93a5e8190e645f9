/** Keys pressed at the worst moments: nothing is allowed but what was read, meant, and looked at. */
import xterm from '@xterm/headless'
import { describe, expect, test } from 'vitest'
import { guardMs } from '../../source/ui/attention.ts'
import { heldMs } from '../../source/ui/pressing.ts'
import { keys, type Screen } from './_screen.ts'
import { first, type Stage, second, twoWaiting } from './_stage.ts'
import { at, message, request, requestBody, say, summary, transcript, uuid } from './_viewer.ts'

const inbox = async (stage: Stage, size = {}): Promise<Screen> => {
	const screen = await stage.open(size)
	await screen.press('p')
	await screen.look()
	return screen
}

describe('a key that is held down', () => {
	/** The first press, then what a terminal sends while the key stays down: after a while, many a second. */
	const hold = async (screen: Screen, key: string, ms: number) => {
		screen.input.push(key)
		await screen.settled(30)
		for (let passed = 600; passed < ms; passed += 150) {
			screen.clock += passed === 600 ? 600 : 150
			screen.input.push(key)
			await screen.settled(20)
		}
	}

	test.concurrent('from before the request appeared answers nothing, however long', async () => {
		await using stage = twoWaiting()
		const all = stage.viewer.requests.get()
		stage.viewer.requests.set([])
		const screen = await inbox(stage)
		await hold(screen, 'a', 700)
		stage.viewer.requests.set(all)
		await screen.until('npm install')
		await hold(screen, 'a', 2400)
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toContain('wait a second')
		await screen.wait(heldMs)
		await screen.press('a')
		expect(stage.answers()).toHaveLength(1)
	})

	test.concurrent('answers the one it was pressed for, and none that comes after it', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press(keys.enter)
		await screen.look()
		screen.input.push('a')
		await screen.settled()
		expect(stage.answers()).toHaveLength(1)
		// The agent goes on at once and asks for the next, while the finger is still on the key.
		const next = requestBody(uuid(13), { input: { command: 'rm -rf ~' } })
		stage.viewer.settle(first, 'approved')
		stage.viewer.requests.update((all) => [
			...all,
			request(uuid(13), { body: next, digest: 'dd'.repeat(32), createdAt: at(1) }),
		])
		stage.viewer.transcript(uuid(1)).update((state) => ({
			...state,
			messages: [...state.messages, message(3, 'permission_request', next)],
		}))
		await screen.until('rm -rf ~')
		await hold(screen, 'a', 3000)
		expect(stage.answers()).toHaveLength(1)
	})
})

describe('what was not meant for this window', () => {
	test.concurrent('a paste that a slow line takes apart answers nothing', async () => {
		await using stage = twoWaiting()
		const screen = await inbox(stage)
		for (const piece of ['cd api && m', 'a', 'ke de', 'd', 'a', 'A']) {
			screen.clock += 20
			screen.input.push(piece)
			await screen.settled(15)
		}
		expect(stage.answers()).toEqual([])
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toHaveLength(1)
	})

	test.concurrent('nor does the first key behind one that was pasted as such', async () => {
		await using stage = twoWaiting()
		const screen = await inbox(stage)
		screen.input.push('\u001B[200~npm t\u001B[201~')
		screen.input.push('a')
		await screen.settled()
		expect(stage.answers()).toEqual([])
	})
})

/** What was ever to be seen on the terminal of what matches in a row, as one sees it who plays all writes again. */
async function written(screen: Screen, what: RegExp): Promise<Set<string>> {
	const { cols, rows } = screen.term
	const again = new xterm.Terminal({ cols, rows, allowProposedApi: true, convertEol: true })
	const seen = new Set<string>()
	for (const chunk of screen.output.chunks) {
		await new Promise<void>((resolve) => again.write(chunk, resolve))
		const { active } = again.buffer
		for (let row = 0; row < rows; row++) {
			const line = active.getLine(active.viewportY + row)?.translateToString(true) ?? ''
			const [found] = what.exec(line.trimEnd()) ?? []
			if (found) seen.add(found)
		}
	}
	again.dispose()
	return seen
}

describe('what was on the screen', () => {
	const lines = Array.from({ length: 90 }, (_, line) => `echo line-${line}`)
	const long = () => {
		const stage = twoWaiting()
		const body = requestBody(first, { input: { command: lines.join('\n') } })
		stage.change(first, { body })
		return stage
	}

	test.concurrent('pages that were turned faster than they were drawn were not read', async () => {
		await using stage = long()
		const screen = await inbox(stage)
		await screen.press(keys.enter)
		await screen.until('more lines')
		// Faster than output is made: most of these pages are never written to the terminal.
		for (let page = 0; page < 8; page++) {
			screen.input.push(keys.pageDown)
			await new Promise(setImmediate)
		}
		await screen.look()
		await screen.press('a')
		const seen = await written(screen, /line-\d+$/)
		expect(stage.answers()).toHaveLength(seen.size === lines.length ? 1 : 0)
	})

	test.concurrent('why a request does not verify is not what it asks for', async () => {
		await using stage = long()
		// The server first hides that it waits, then lists it: the same text, under the same digest.
		stage.change(first, { problem: 'the server does not list this request' })
		const screen = await inbox(stage, { columns: 80, rows: 24 })
		await screen.until('denied, not allowed')
		await screen.look()
		stage.change(first, { problem: null })
		await screen.until('line-0')
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toMatch(/not on the screen|not read/)
	})

	test.concurrent('and a key for the one that can only be denied is none for the other', async () => {
		await using stage = twoWaiting()
		stage.change(first, { problem: 'the server does not list this request' })
		const screen = await inbox(stage)
		stage.change(first, { problem: null })
		await screen.until('[d] deny')
		await screen.until('npm install')
		await screen.press('a')
		expect(stage.answers()).toEqual([])
	})

	test.concurrent('a window made smaller shows less: what is left has to be read', async () => {
		await using stage = long()
		const screen = await inbox(stage, { columns: 80, rows: 60 })
		await screen.resize(60, 16)
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([])
	})

	test.concurrent('and one that shows none of it takes no answer', async () => {
		await using stage = twoWaiting()
		const screen = await inbox(stage)
		await screen.resize(20, 5)
		await screen.look()
		await screen.press('a', 'd', 'A')
		expect(stage.answers()).toEqual([])
		await screen.resize(80, 24)
		await screen.look()
		await screen.press('d')
		expect(stage.answers()).toHaveLength(1)
	})
})

describe('two requests that look the same', () => {
	test.concurrent('are two: the one under the finger is gone, the other has just come', async () => {
		await using stage = twoWaiting()
		stage.change(second, {
			session: uuid(1),
			project: 'api-server',
			body: requestBody(second),
		})
		stage.viewer.sessions.set([summary({ pending: 2 })])
		const screen = await stage.open()
		await screen.press(keys.enter)
		await screen.look()
		const asked = stage.viewer.requests.get().find(({ id }) => id === second)?.body
		if (!asked) throw new Error('no body')
		stage.viewer
			.transcript(uuid(1))
			.set(
				transcript([
					say(1, 'Hello.'),
					message(2, 'permission_request', requestBody(first)),
					message(3, 'permission_request', asked),
				]),
			)
		await screen.look()
		stage.viewer.settle(first, 'denied')
		await screen.until('✗ denied')
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		await screen.look()
		await screen.press('a')
		expect(stage.answers().map(({ id }) => id)).toEqual([second])
	})
})

describe('time and again', () => {
	test.concurrent('a request that expires while the reason is typed is not answered', async () => {
		await using stage = twoWaiting()
		const screen = await inbox(stage)
		await screen.press('r', 'n', 'o')
		stage.change(first, { status: 'expired' })
		await screen.settled()
		await screen.press(keys.enter)
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toContain('answered already')
	})

	test.concurrent('the time left is counted, and that it is over is said', async () => {
		await using stage = twoWaiting()
		stage.change(first, { expiresAt: at(-65) })
		const screen = await inbox(stage)
		expect(screen.text()).toMatch(/1:0\d left/)
		await screen.wait(70_000)
		await screen.press(keys.down, keys.up)
		await screen.until('time is up')
	})

	test.concurrent('ctrl-z and back: what is there has only just appeared', async () => {
		await using stage = twoWaiting()
		const screen = await inbox(stage)
		await screen.press('\u000C')
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		await screen.wait(Math.max(guardMs, heldMs))
		await screen.press('a')
		expect(stage.answers()).toHaveLength(1)
	})
})

test.concurrent('who was faster is said, and that the host has not answered', async () => {
	await using stage = twoWaiting()
	const screen = await inbox(stage, { columns: 120, rows: 40 })
	await screen.press('a')
	stage.viewer.reach(first, 'stored', {
		why: 'the host has not answered: it takes this when it is back',
	})
	await screen.until(/✓ stored {2}… verified[\s\S]*when it is back/)
	await screen.look()
	await screen.press('d')
	expect(stage.answers()).toHaveLength(1)
	await screen.until('on its way')
	const winner = { id: uuid(902), name: 'phone', result: 'denied' }
	stage.viewer.reach(first, 'lost', { winner, why: null })
	await screen.until('lost to phone, who denied it')
})

describe('over a line that lags', () => {
	/** A terminal that answers, but only when its answers are let through. */
	const lagging = async (stage: Stage) => {
		const held: string[] = []
		const screen = await stage.open({ answers: (data) => held.push(data) })
		const deliver = async () => {
			for (const data of held.splice(0)) screen.input.push(data)
			await screen.settled()
		}
		await deliver()
		await screen.look()
		return { screen, deliver }
	}

	const slideIn = async (stage: Stage, screen: Screen) => {
		stage.viewer.sessions.update(([one, two]) => [
			...(one ? [{ ...one, pending: 0 }] : []),
			...(two ? [two] : []),
		])
		stage.viewer.settle(first, 'denied')
		await screen.until('npm publish')
	}

	test.concurrent('what was written is not seen before the terminal has said so', async () => {
		await using stage = twoWaiting()
		const { screen, deliver } = await lagging(stage)
		await slideIn(stage, screen)
		await screen.look()
		// Long after it was written; the person still sees the one before.
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		await deliver()
		await screen.press('d')
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toContain('too soon')
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([{ id: second, decision: 'allow', scope: 'once' }])
	})

	test.concurrent('lines that were written are not read before the terminal has shown them', async () => {
		await using stage = twoWaiting()
		const lines = Array.from({ length: 30 }, (_, line) => `echo line-${line}`)
		stage.change(first, { body: requestBody(first, { input: { command: lines.join('\n') } }) })
		const { screen, deliver } = await lagging(stage)
		for (const key of ['p', keys.enter]) {
			await screen.press(key)
			await deliver()
			await screen.look()
		}
		for (let page = 0; page < 6; page++) await screen.press(keys.pageDown)
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toContain('too soon')
		await deliver()
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
	})

	test.concurrent('what it answers is no key, not even in two pieces', async () => {
		await using stage = twoWaiting()
		const { screen } = await lagging(stage)
		const before = screen.text()
		for (const data of ['\u001B[?62;4c', '\u001B[?6', '2;4c']) {
			screen.input.push(data)
			await screen.settled()
		}
		expect(screen.text()).toBe(before)
		expect(stage.answers()).toEqual([])
	})
})
