/** The viewer for a screen reader: lines, each change once, and answers with the same guards. */
import { describe, expect, test } from 'vitest'
import { keys, type ScreenOptions } from './_screen.ts'
import { first, type Stage, twoWaiting } from './_stage.ts'
import {
	ask,
	at,
	message,
	request,
	requestBody,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

async function listen(stage: Stage, options: ScreenOptions = {}) {
	const screen = await stage.open({
		rows: 200,
		screenReader: true,
		notifications: { title: false, bell: false },
		...options,
	})
	let heard = 0
	/** What was said since it was asked last. */
	const news = async () => {
		await screen.settled()
		const said = screen.written.slice(heard)
		heard = screen.written.length
		return said
	}
	return { screen, news }
}

describe('lines for a screen reader', () => {
	test('say what the screen is, what is highlighted, what waits and which keys work', async () => {
		await using stage = twoWaiting()
		const { news } = await listen(stage)
		const said = await news()
		expect(said).toContain('2 waiting')
		expect(said).toContain('Screen: sessions')
		expect(said).toMatch(/attention: api-server.*, 1 of 2/)
		expect(said).toContain('Word for word:\n| $ npm install express-rate-limit\nEnd of that.')
		expect(said).toMatch(/Keys.*: a allow, .*d deny/)
		expect(said).not.toMatch(/[─━│▸▶⚠✓✗●]/)
	})

	test('are never moved, erased or coloured', async () => {
		await using stage = twoWaiting()
		const { screen } = await listen(stage)
		await screen.press('j', keys.enter, 'o', '?', keys.pageDown, keys.escape, keys.escape, 'p', 'D')
		await screen.press('r', 'n', 'a', 'm', 'e', keys.backspace, keys.escape)
		const rest = screen.written.replaceAll('\u001B[?2004h', '')
		expect(rest).not.toContain('\u001B')
		expect(rest).not.toContain('\b')
	})

	test('on a terminal without any sequences there is none', async () => {
		await using stage = twoWaiting()
		const notifications = { title: true, osc: true }
		const { screen } = await listen(stage, { env: { TERM: 'dumb' }, notifications })
		await screen.press('j', 'q')
		await screen.exited
		expect(screen.written).not.toContain('\u001B')
	})

	test('say a move as the entry that is highlighted now, and nothing else of the list', async () => {
		await using stage = twoWaiting()
		stage.viewer.requests.set([])
		const { screen, news } = await listen(stage)
		await news()
		await screen.press('j')
		const said = await news()
		expect(said).toMatch(/web.*, 2 of 2\n$/)
		expect(said).not.toContain('api-server')
	})

	test('say what an agent says once, and when it was said to its end', async () => {
		await using stage = twoWaiting()
		const session = uuid(1)
		stage.viewer.requests.set([])
		stage.viewer.transcript(session).set(transcript([ask(1, 'Go on.')]))
		const { screen, news } = await listen(stage)
		await screen.press(keys.enter)
		expect(await news()).toContain('prompt: Go on.')
		const live = (text: string) => ({
			block: 'b',
			kind: 'agent_response' as const,
			text,
			at: at(0),
		})
		for (const text of ['One', 'One two', 'One two three']) {
			stage.viewer.transcript(session).update((state) => ({ ...state, live: [live(text)] }))
			expect(await news()).toBe('')
		}
		stage.viewer.transcript(session).set(transcript([ask(1, 'Go on.'), say(2, 'One two three.')]))
		expect(await news()).toBe('One two three.\n')
		stage.viewer.transcript(session).update((state) => ({ ...state, lastHeartbeat: at(0) }))
		expect(await news()).toBe('')
	})

	test('keep what an agent says apart from words of the program', async () => {
		await using stage = twoWaiting()
		stage.viewer.requests.set([])
		const own = ['Keys for it: a allow', 'Screen: sessions', 'End of that.', 'attention: it waits']
		const signs = ['⚠ it asks for', '✓ allowed by laptop', '**✗ denied**', '▌ my prompt', '| $ ls']
		const text = [...own, ...signs, 'Now I look.'].join('\n\n')
		stage.viewer.transcript(uuid(1)).set(transcript([say(1, text)]))
		const { screen, news } = await listen(stage)
		await news()
		await screen.press(keys.enter)
		const said = (await news()).split('\n')
		for (const line of own) expect(said).toContain(`| ${line}`)
		for (const line of signs) expect(said).toContain(`| ${line.replaceAll('*', '')}`)
		expect(said).toContain('Now I look.')
		expect(said.filter((line) => line === 'End of that.').length).toBe(
			said.filter((line) => line === 'Word for word:').length,
		)
	})

	test('say that time runs only when it matters', async () => {
		await using stage = twoWaiting()
		const { screen, news } = await listen(stage)
		await news()
		const later = async (ms: number) => {
			await screen.wait(ms)
			stage.viewer.sessions.update((all) => all.map((each) => ({ ...each, costUsd: ms / 1000 })))
			return await news()
		}
		// 4 minutes and 32 seconds are left.
		expect(await later(20_000)).toBe('')
		expect(await later(30_000)).toMatch(/^attention: wants to run .* 3:42 left\n$/)
	})

	test('say that the connection is lost, and that it is back', async () => {
		await using stage = twoWaiting()
		const { news } = await listen(stage)
		await news()
		stage.viewer.connection.set({ state: 'lost', lastContact: at(60), why: null })
		expect(await news()).toContain('failed: connection lost')
		stage.viewer.connection.set({ state: 'live', lastContact: at(0), why: null })
		expect(await news()).toContain('connected')
	})

	test('echo what is typed, letter by letter', async () => {
		await using stage = twoWaiting()
		const { screen, news } = await listen(stage)
		await screen.look()
		await screen.press('r')
		expect(await news()).toContain('Why not? The agent is told:')
		await screen.press('n')
		expect(await news()).toBe('n')
		await screen.press('o')
		expect(await news()).toBe('o')
		await screen.press(keys.enter)
		expect(stage.answers()).toMatchObject([{ decision: 'deny', reason: 'no' }])
	})

	test('say all again on request', async () => {
		await using stage = twoWaiting()
		const { screen, news } = await listen(stage)
		await news()
		await screen.press('\u000C')
		expect(await news()).toContain('Screen: sessions')
	})
})

describe('an answer', () => {
	test('is taken for what was said, and every stage of it is said', async () => {
		await using stage = twoWaiting()
		const { screen, news } = await listen(stage)
		await screen.look()
		await news()
		await screen.press('a')
		expect(stage.answers()).toEqual([{ id: first, decision: 'allow', scope: 'once' }])
		expect(await news()).toContain('sent')
	})

	test('is not taken before the request was said, nor in the moment after', async () => {
		await using stage = twoWaiting()
		const { screen, news } = await listen(stage)
		await news()
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		expect(await news()).toContain('too soon')
	})

	test('to a long request is taken when its end was said', async () => {
		await using stage = twoWaiting()
		const command = Array.from({ length: 60 }, (_, line) => `echo ${line}`).join('\n')
		stage.change(first, { body: requestBody(first, { input: { command } }) })
		const { screen, news } = await listen(stage)
		await screen.look()
		const said = await news()
		expect(said).not.toContain('echo 59')
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		for (let page = 0; page < 4; page++) await screen.press(keys.pageDown)
		expect(await news()).toContain('echo 59')
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toMatchObject([{ decision: 'allow' }])
	})

	test('leaves out no line of a request that reads like one said before it', async () => {
		await using stage = twoWaiting()
		const lines = Array.from({ length: 90 }, (_, line) => `sleep ${line} s && echo same`)
		stage.change(first, { body: requestBody(first, { input: { command: lines.join('\n') } }) })
		const { screen, news } = await listen(stage)
		const said = [await news()]
		for (let page = 0; page < 8; page++) {
			await screen.press(keys.pageDown)
			said.push(await news())
		}
		for (const line of lines) expect(said.join('').split(`${line}\n`), line).toHaveLength(2)
	})

	test('is to what is said: what an agent wrote can not pass for words of ours', async () => {
		await using stage = twoWaiting()
		const command = 'rm -rf /\nEnd of that.\n│ [a] allow\nScreen: sessions'
		stage.change(first, { body: requestBody(first, { input: { command } }) })
		const { news } = await listen(stage)
		const said = await news()
		const [, quoted = ''] = /Word for word:\n(.*?)\nEnd of that\./s.exec(said) ?? []
		expect(quoted.split('\n')).toHaveLength(4)
		for (const line of quoted.split('\n')) expect(line).toMatch(/^\| /)
	})
})

test('one waiting session more is said', async () => {
	await using stage = twoWaiting()
	const { news } = await listen(stage)
	await news()
	const third = uuid(13)
	stage.viewer.sessions.update((all) => [
		...all,
		summary({ id: uuid(3), project: 'etl', pending: 1 }),
	])
	const body = requestBody(third)
	stage.viewer.requests.update((all) => [...all, request(third, { session: uuid(3), body })])
	stage.viewer.transcript(uuid(3)).set(transcript([message(1, 'permission_request', body)]))
	expect(await news()).toContain('3 waiting')
})
