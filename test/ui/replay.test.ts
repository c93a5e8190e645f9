/** A session played again: its timing, its pauses, its requests, and any place of it at once. */
import { describe, expect, test } from 'vitest'
import { gapBetween, liveAt } from '../../source/ui/replay/timing.ts'
import type { ShownMessage } from '../../source/viewer/viewer.ts'
import { keys, type Screen } from './_screen.ts'
import { Stage } from './_stage.ts'
import {
	ask,
	call,
	message,
	now,
	request,
	requestBody,
	result,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

const session = uuid(1)
const asked = uuid(11)
const left = '\u001B[D'
const right = '\u001B[C'

/** At so many seconds of the session. */
const then = (seconds: number, shown: ShownMessage): ShownMessage => ({
	...shown,
	at: new Date(now - 3_600_000 + seconds * 1000).toISOString(),
})

const answer = (seq: number) =>
	message(seq, 'permission_response', {
		request: asked,
		result: 'denied',
		by: 'host',
		device: null,
		scope: 'once',
		reason: null,
		command: null,
	})

const conversation = [
	then(0, ask(1, 'Begin, please.')),
	then(4, say(2, 'The first words of an answer')),
	then(5, call(3, 'c', 'make all')),
	then(605, result(4, 'c', 'built')),
	then(606, message(5, 'permission_request', requestBody(asked))),
	then(726, answer(6)),
	then(727, say(7, 'As you wish.')),
]

function stageOf(messages: readonly ShownMessage[]): Stage {
	const stage = new Stage()
	stage.viewer.sessions.set([summary()])
	stage.viewer.stored.set(session, messages)
	stage.viewer.transcript(session).set(transcript(messages.slice(-50)))
	return stage
}

async function replaying(stage: Stage, size = { columns: 80, rows: 24 }): Promise<Screen> {
	const screen = await stage.open(size)
	await screen.press(keys.enter, 'R')
	await screen.until('of ')
	return screen
}

/** Lets the session's own time pass, in frames. */
async function pass(screen: Screen, ms: number): Promise<void> {
	for (let left = ms; left > 0; left -= 500) {
		await screen.wait(Math.min(500, left))
		await screen.settled(200)
	}
}

describe('a replay', () => {
	test.concurrent('has the timing it had: text comes bit by bit, what is next is not there', async () => {
		await using stage = stageOf(conversation)
		const screen = await replaying(stage)
		expect(screen.text()).toContain('━ replay · api-server · claude')
		expect(screen.text()).toContain('▌ Begin, please.')
		expect(screen.text()).toContain('▶ playing  ×1')
		expect(screen.text()).not.toContain('The first')
		await pass(screen, 2000)
		expect(screen.text()).toContain('The first word')
		expect(screen.text()).not.toContain('words of an answer')
		await screen.press(' ')
		expect(screen.text()).toContain('‖ paused')
		const still = screen.text()
		await pass(screen, 3000)
		expect(screen.text()).toBe(still)
		await screen.press(' ')
		await pass(screen, 2000)
		expect(screen.text()).toContain('The first words of an answer')
		expect(screen.text()).not.toContain('make all')
	})

	test.concurrent('shortens a long pause, and says how long it was', async () => {
		await using stage = stageOf(conversation)
		const screen = await replaying(stage)
		await screen.press('.', '.')
		expect(screen.text()).toContain('$ make all')
		expect(screen.text()).toContain('it ran for 10 min: shortened')
		expect(screen.text()).not.toMatch(/make all +✓/)
		await screen.press(' ')
		await pass(screen, 2500)
		expect(screen.text()).toMatch(/\$ make all +✓/)
	})

	test.concurrent('shows a request as it waited, with nothing to answer, and then its answer', async () => {
		await using stage = stageOf(conversation)
		stage.viewer.requests.set([request(asked, { status: 'denied' })])
		const screen = await replaying(stage)
		await screen.press('.', '.', '.', '.')
		expect(screen.text()).toContain('wants to run a command')
		expect(screen.text()).toContain('$ npm install express-rate-limit')
		expect(screen.text()).not.toContain('[a]')
		expect(screen.text()).not.toContain('[d]')
		expect(screen.text()).toContain('waited for the answer for 2 min: shortened')
		await screen.look()
		await screen.press('a', 'd', 'A', 'r')
		expect(stage.answers()).toEqual([])
		await screen.press('.')
		expect(screen.text()).toContain('denied')
		expect(screen.text()).not.toContain('As you wish.')
	})

	test.concurrent('goes as fast as one wants, to the end and back to the beginning', async () => {
		await using stage = stageOf(conversation)
		const screen = await replaying(stage)
		await screen.press('+', '+', '+', '+', '+', '+', '+')
		expect(screen.text()).toContain('×64')
		await pass(screen, 1000)
		expect(screen.text()).toContain('■ the end')
		expect(screen.text()).toContain('100 %')
		await screen.press('-', keys.home)
		expect(screen.text()).toContain('×32')
		expect(screen.text()).not.toContain('As you wish.')
		await screen.press(keys.end)
		expect(screen.text()).toContain('As you wish.')
		await screen.press(' ')
		await screen.until((text) => !text.includes('As you wish.'))
	})

	test.concurrent('steps back, seeks, and leaves one where one was', async () => {
		await using stage = stageOf(conversation)
		const screen = await replaying(stage)
		await screen.press(keys.end, ',')
		await screen.until((text) => !text.includes('As you wish.'))
		expect(screen.text()).toContain('‖ paused')
		await screen.press(left)
		await screen.until('#5 of 7')
		await screen.press(right)
		await screen.until('#6 of 7')
		await screen.press('[')
		await screen.until('#1 of 7')
		await screen.press(keys.escape)
		await screen.until('━ api-server · claude')
		expect(screen.text()).toContain('As you wish.')
	})

	test.concurrent('hears the keys while the session is still being opened', async () => {
		await using stage = stageOf(conversation)
		const opened = Promise.withResolvers<void>()
		const { pages } = stage.viewer
		stage.viewer.pages = (id) => {
			const read = pages.call(stage.viewer, id)
			const last = read.last.bind(read)
			read.last = () => opened.promise.then(last)
			return read
		}
		const screen = await stage.open()
		await screen.press(keys.enter, 'R')
		await screen.until('… reading')
		await screen.press('+', keys.end)
		opened.resolve()
		await screen.until('■ the end  space plays it again  ×2')
		expect(screen.text()).toContain('As you wish.')
	})

	test.concurrent('reads what is around it, however long the session is', async () => {
		const all = Array.from({ length: 20_000 }, (_, index) =>
			then(
				index,
				index % 1000 === 0 ? ask(index + 1, `prompt ${index}`) : say(index + 1, `word ${index}`),
			),
		)
		await using stage = stageOf(all)
		const screen = await replaying(stage)
		await screen.press(keys.end)
		await screen.until('word 19999')
		await screen.press(left)
		await screen.until('#19000 of 20000')
		expect(screen.text()).toContain('word 18999')
		await screen.press(' ', ']')
		await screen.until('prompt 19000')
		await screen.press('[')
		await screen.until('prompt 18000')
		await screen.press(']', ']')
		await screen.until('#20000 of 20000')
		const read = stage.viewer.pagesRead
		expect(Math.max(...read.map(([from, to]) => to - from + 1))).toBe(200)
		expect(read.length).toBeLessThan(40)
	})
})

describe('timing', () => {
	test('a clock that goes back, or a time that is none, is no pause', () => {
		expect(gapBetween(then(5, say(1, 'a')), then(3, say(2, 'b')))).toEqual({ real: 0, played: 0 })
		const none = { ...say(2, 'b'), at: '' }
		expect(gapBetween(then(5, say(1, 'a')), none)).toEqual({ real: 0, played: 0 })
	})

	test('text is never cut within a character', () => {
		const emoji = say(1, '👍👍')
		for (const part of [0.1, 0.3, 0.5, 0.8, 1]) {
			expect((liveAt(emoji, part)[0]?.text ?? '').isWellFormed()).toBe(true)
		}
	})
})
