/** The search over all sessions: what is typed, what is found, and the way into the session. */
import { expect, test } from 'vitest'
import { keys } from './_screen.ts'
import { hit } from './_search.ts'
import { Stage, twoWaiting } from './_stage.ts'
import { ask, at, call, result, say, summary, transcript, uuid } from './_viewer.ts'

const index = { messages: 1234, sessionsDone: 2, sessions: 2, upToDate: true, problem: null }

function searching(): Stage {
	const stage = new Stage()
	stage.viewer.sessions.set([summary(), summary({ id: uuid(2), project: 'web' })])
	return stage
}

const found = [
	hit({ seq: 7, at: at(3600) }),
	hit({ session: uuid(2), project: 'web', seq: 3, kind: 'user_prompt' }),
	hit({ seq: 2, snippet: 'a limit too', matches: [[2, 7]] }),
]

test('looks for what is typed at every key, and shows it by session with its matches marked', async () => {
	await using stage = searching()
	const { search } = stage.viewer
	const screen = await stage.open()
	expect(search.started).toBe(0)
	await screen.press('/')
	expect(search.started).toBe(1)
	// What can be typed is on the screen before anything is.
	const help = await screen.until('What can be typed')
	for (const example of ['agent:codex', '"rate limit"', 'since:7d']) expect(help).toContain(example)
	await screen.press('l', 'i', 'm')
	expect(search.asked).toEqual(['l', 'li', 'lim'])
	search.found(found, { total: 214, index })
	const text = await screen.until('214 found in 1234 messages')
	const lines = text.split('\n')
	const place = (what: string) => lines.findIndex((line) => line.includes(what))
	const [first, one, two, second, three] = [
		place(' api-server '),
		place('1h   response'),
		place('a limit too'),
		place(' web '),
		place('prompt '),
	]
	expect([one, two, second, three]).toEqual([first + 1, first + 2, first + 3, first + 4])
	expect(lines[one]).toContain('▸')
	const row = screen.term.buffer.active.getLine(two)
	const column = lines[two]?.indexOf('limit') ?? 0
	expect(row?.getCell(column)?.isInverse()).toBeTruthy()
	expect(row?.getCell(column - 2)?.isInverse()).toBeFalsy()
})

test('opens the session at what was found, with that as what is looked for, and comes back', async () => {
	await using stage = searching()
	const { viewer } = stage
	viewer.transcript(uuid(1)).set(transcript([ask(1, 'please'), say(2, 'a limit too'), say(7, 'x')]))
	const screen = await stage.open()
	await screen.press('/', 'l')
	viewer.search.found(found, { index })
	await screen.until('3 found')
	await screen.press(keys.down)
	await screen.until((text) => /▸.*a limit too/.test(text))
	await screen.press(keys.enter)
	const session = await screen.until('find “limit”')
	expect(session).toContain('1/1')
	expect(viewer.opened).toContain(uuid(1))
	// One esc goes back: what is looked for was never asked for here.
	await screen.press(keys.escape)
	const back = await screen.until('3 found')
	expect(back).toMatch(/▸.*a limit too/)
	expect(back).toContain('› l')
})

test('goes to the call of a result that was found, not to the next place that has the same', async () => {
	await using stage = searching()
	const { viewer } = stage
	viewer
		.transcript(uuid(1))
		.set(
			transcript([
				call(1, 'c', 'ls'),
				result(2, 'c', 'the needle is here'),
				say(3, 'nothing'),
				say(4, 'a needle again'),
			]),
		)
	const screen = await stage.open()
	await screen.press('/', 'n')
	viewer.search.found([hit({ seq: 2, snippet: 'the needle is', matches: [[4, 10]] })], { index })
	await screen.until('1 found')
	await screen.press(keys.enter)
	await screen.until('1/2')
})

test('loads what is around a message that is far from the end', async () => {
	await using stage = searching()
	const { viewer } = stage
	viewer.transcript(uuid(1)).set(transcript([say(900, 'the end')], { hasOlder: true }))
	const screen = await stage.open()
	await screen.press('/', 'l')
	viewer.search.found([hit({ seq: 7 })], { index })
	await screen.until('1 found')
	await screen.press(keys.enter)
	await screen.until('the end')
	expect(viewer.asked).toContainEqual({ session: uuid(1), what: 'around 7' })
})

test('says what is wrong with a query, and where', async () => {
	await using stage = searching()
	const screen = await stage.open()
	await screen.press('/', ...'kin:x')
	const problem = { code: 'unknown_field', message: 'There is no field kin.', at: 0 }
	stage.viewer.search.found([], { problem, index })
	const text = await screen.until('✗ at character 1: There is no field kin.')
	expect(text).toContain('kind:command')
})

test('says how far history was read, what keeps it from being found, and that nothing fits', async () => {
	await using stage = searching()
	const { search } = stage.viewer
	const screen = await stage.open()
	await screen.press('/', 'x')
	search.found([], { index: { ...index, sessionsDone: 1, upToDate: false } })
	expect(await screen.until('Nothing fits yet')).toContain('1 of 2 sessions so far')
	search.found([], { index: { ...index, problem: '3 messages did not verify.' } })
	const text = await screen.until('Nothing fits “x”')
	expect(text).toContain('✗ 3 messages did not verify.')
	expect(text).not.toContain('reading history')
})

test('reads more hits near their end, and no more than there are', async () => {
	await using stage = searching()
	const { search } = stage.viewer
	const many = Array.from({ length: 100 }, (_, seq) => hit({ seq: seq + 1 }))
	const screen = await stage.open()
	await screen.press('/', 'x')
	search.found(many, { total: 150, index })
	await screen.until('150 found')
	expect(search.askedMore).toBe(0)
	for (let page = 0; page < 12; page++) await screen.press(keys.pageDown)
	await screen.until(() => search.askedMore > 0)
	search.found(many, { total: 100, index })
	const asked = search.askedMore
	await screen.press(keys.pageDown, keys.pageDown)
	expect(search.askedMore).toBe(asked)
})

test('remembers what found something, and looks for it again', async () => {
	await using stage = searching()
	const { search } = stage.viewer
	const screen = await stage.open()
	await screen.press('/', 'l')
	search.found(found, { index })
	await screen.until('3 found')
	await screen.press(keys.escape)
	await screen.until('sessions')
	await screen.press('/')
	await screen.until('› l')
	await screen.press(keys.backspace)
	search.found([], { index })
	expect(await screen.until('searched for before')).toMatch(/▸ l/)
	await screen.press(keys.enter)
	await screen.until('› l')
	expect(search.asked.at(-1)).toBe('l')
})

test('what was found can not act on the terminal, and nothing waiting is answered from here', async () => {
	await using stage = twoWaiting()
	const { search } = stage.viewer
	const screen = await stage.open({ columns: 120, rows: 40 })
	await screen.press('/', 'a', 'd')
	const evil = '\u001b]52;c;aGk=\u0007\u001b[2Jab\u202elimit\r\nover'
	const name = `p\u001b[31m\u202e`
	search.found(
		[hit({ snippet: evil, matches: [[21, 26]], project: name, title: evil, agent: evil })],
		{
			index: { ...index, problem: evil },
		},
	)
	const text = await screen.until('1 found')
	expect(text).toContain('p\\x1b[31m\\u202e')
	expect(text).toContain('‹U+202E›')
	expect(text).toContain('styrby')
	await screen.press('a')
	expect(stage.answers()).toEqual([])
})
