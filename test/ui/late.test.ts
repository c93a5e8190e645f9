/** The viewer as it stands on the screen before it is connected. */
import { expect, test } from 'vitest'
import { LateViewer } from '../../source/viewer/late-viewer.ts'
import type { SessionSummary } from '../../source/viewer/viewer.ts'
import { keys, show } from './_screen.ts'
import { at, info, request, ScriptedViewer, say, summary, transcript, uuid } from './_viewer.ts'

const waiting = summary({ id: uuid(1), pending: 1 })
const kept = [waiting, summary({ id: uuid(2), project: 'web', status: 'ended', endedAt: at(600) })]

class Connected extends ScriptedViewer {
	readonly #ready = Promise.withResolvers<void>()
	readonly ready = this.#ready.promise

	list(sessions: readonly SessionSummary[]): void {
		this.sessions.set(sessions)
		this.#ready.resolve()
	}

	fail(): void {
		this.ready.catch(() => undefined)
		this.#ready.reject(new Error('no answer'))
	}
}

async function started(sessions = kept, columns = 80) {
	const late = new LateViewer({ at: at(180), info, sessions })
	return { late, viewer: new Connected(), screen: await show(late, { columns }) }
}

test('shows the last list and of when it is, until the connected viewer has read one', async () => {
	const { late, viewer, screen } = await started()
	await using _ = screen
	const text = await screen.until('api-server')
	expect(text).toContain('○ connecting, as of 3m ago')
	expect(text).toContain('Sessions 2')
	viewer.connection.set({ state: 'connecting', lastContact: null, why: null })
	late.attach(viewer)
	expect(await screen.settled()).toContain('as of 3m ago')
	expect(screen.text()).toContain('web')
	viewer.connection.set({ state: 'live', lastContact: at(0), why: null })
	viewer.list([summary({ id: uuid(3), project: 'fresh' })])
	expect(await screen.until('fresh')).not.toContain('as of')
	expect(screen.text()).not.toContain('api-server')
})

test('keeps the last list where the first one can not be read', async () => {
	const { late, viewer, screen } = await started()
	await using _ = screen
	viewer.connection.set({ state: 'lost', lastContact: null, why: 'no answer' })
	late.attach(viewer)
	viewer.fail()
	expect(await screen.until('connection lost')).toContain('api-server')
	viewer.list([summary({ id: uuid(3), project: 'fresh' })])
	await screen.until('fresh')
})

test('nothing can be answered or sent before the connection', async () => {
	const { late, viewer, screen } = await started()
	await using _ = screen
	await screen.until('waiting for you')
	await screen.look()
	await screen.press('a', 'd', 'a')
	expect(() => late.decide(request('a'), { decision: 'allow', scope: 'once' })).toThrow(
		/nothing was sent/,
	)
	expect(() => late.send(uuid(1), { kind: 'prompt', text: 'go on' })).toThrow(/nothing was sent/)
	viewer.requests.set([request('a')])
	late.attach(viewer)
	await screen.settled()
	// Not before the list is there that it belongs to.
	expect(screen.text()).not.toContain('allow')
	viewer.list(kept)
	await screen.until('wants to run')
	expect(viewer.decided).toEqual([])
	expect(viewer.sendings).toEqual([])
})

test('a session that was opened early loads once there is a connection', async () => {
	const { late, viewer, screen } = await started()
	await using _ = screen
	await screen.until('api-server')
	await screen.press(keys.enter)
	expect(await screen.until('loading')).toContain('api-server')
	viewer.transcript(uuid(1)).set(transcript([say(1, 'Here it is.')]))
	late.attach(viewer)
	viewer.list(kept)
	await screen.until('Here it is.')
	expect(viewer.open_).toBe(1)
	await screen.press(keys.escape, keys.down)
	await screen.settled()
	expect(viewer.open_).toBeLessThanOrEqual(1)
})

test('what is asked of the search and the devices early is asked when there is a connection', async () => {
	const late = new LateViewer({ at: at(180), info, sessions: kept })
	const viewer = new Connected()
	late.search.start()
	late.search.ask('rate limit')
	expect(late.search.state.get()).toMatchObject({ query: 'rate limit', searching: true })
	late.devices.readHistory()
	const more = late.moreSessions()
	late.attach(viewer)
	viewer.list(kept)
	expect(await more).toBe(false)
	expect(viewer.askedSessions).toBe(1)
	expect(viewer.search.asked).toEqual(['rate limit'])
	expect(viewer.devices.asked).toContain('history')
})
