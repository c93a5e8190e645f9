/** One session on the screen: what is shown of it, where the window stands, what is loaded. */
import { describe, expect, test } from 'vitest'
import { keys } from './_screen.ts'
import { Stage } from './_stage.ts'
import {
	ask,
	at,
	call,
	message,
	requestBody,
	result,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

const session = uuid(1)

function stageOf(...state: Parameters<typeof transcript>): Stage {
	const stage = new Stage()
	stage.viewer.sessions.set([summary()])
	stage.viewer.transcript(session).set(transcript(...state))
	return stage
}

async function opened(stage: Stage, size = { columns: 80, rows: 24 }) {
	const screen = await stage.open(size)
	await screen.press(keys.enter)
	await screen.settled()
	return screen
}

const many = (count: number, from = 1) =>
	Array.from({ length: count }, (_, index) => say(from + index, `message ${from + index}.`))

describe('what is shown', () => {
	test.concurrent('a conversation: prompt, thought, command, edit, answer', async () => {
		await using stage = stageOf([
			ask(1, 'Add rate limiting.'),
			message(2, 'agent_thinking', {
				text: 'First the router.\nThen the test.',
				block: null,
				parent: null,
			}),
			call(3, 'c1', 'rg -n login src'),
			result(4, 'c1', 'src/login.ts:4\nsrc/login.ts:9\n'),
			message(5, 'tool_use', {
				tool_use: 'c2',
				name: 'Edit',
				input: { file_path: '/home/sam/api-server/src/login.ts' },
				parent: null,
			}),
			result(6, 'c2', 'ok', {
				exit_code: null,
				changes: [
					{
						path: '/home/sam/api-server/src/login.ts',
						hunks: [
							{
								old_start: 4,
								old_lines: 1,
								new_start: 4,
								new_lines: 1,
								lines: ['-post(login)', '+post(limit, login)'],
							},
						],
					},
				],
			}),
			say(7, 'Done: **five** tries a minute.'),
		])
		const screen = await opened(stage)
		expect(screen.text()).toMatchInlineSnapshot(`
			" styrby Sessions 1 · ● 1 live     ● connected · embedded · laptop ✓ · 3 devices
			━ api-server · claude · running · ✓ verified to #7 · 3 readers, all signed ━━━━━
			  — start of the session —

			  ▌ Add rate limiting.

			  ✻ First the router. ▸

			  $ rg -n login src                                           ✓ 0.2 s  2 lines ▸
			  ✎ src/login.ts  +1 −1                                                ✓ 0.2 s
			    @@ −4,1 +4,1 @@
			     4 - post(login)
			     4 + post(limit, login)
			  Done: five tries a minute.








			 tab select  o unfold all  / find  R replay  p permissions  y copy  [ ] prompts
			 ! stop all  { } requests  ( ) errors  $ cost  D devices  esc back  ? all keys"
		`)
	})

	test.concurrent('folded is folded, and unfolded on request', async () => {
		const output = Array.from({ length: 9 }, (_, line) => `line ${line}`).join('\n')
		await using stage = stageOf([call(1, 'c1', 'ls'), result(2, 'c1', output), say(3, 'So much.')])
		const screen = await opened(stage)
		expect(screen.text()).toMatch(/\$ ls +✓ 0\.2 s {2}9 lines ▸/)
		expect(screen.text()).not.toContain('line 8')
		await screen.press(keys.tab)
		expect(screen.text()).toMatch(/▐ \$ ls/)
		await screen.press(keys.enter)
		await screen.until('line 8')
		await screen.press(' ')
		await screen.until((text) => !text.includes('line 8'))
		await screen.press('o')
		await screen.until('line 8')
	})

	test.concurrent('a failed command shows its end without being asked', async () => {
		await using stage = stageOf([
			call(1, 'c1', 'npm test'),
			result(2, 'c1', '1 failing', { ok: false, exit_code: 1 }),
		])
		const screen = await opened(stage)
		expect(screen.text()).toMatch(/\$ npm test +✗ exit 1/)
		expect(screen.text()).toContain('1 failing')
	})

	test.concurrent('a message that is not right stands red and marked at its place, and nothing of it is shown', async () => {
		const problem = 'Message 2 was changed after it was signed.'
		await using stage = stageOf(
			[
				say(1, 'Before.'),
				message(
					2,
					'agent_response',
					{ text: 'FORGED', block: null, model: null, parent: null },
					{ problem, verified: false },
				),
				say(3, 'After.'),
			],
			{ problems: 1 },
		)
		const screen = await opened(stage)
		const lines = screen.lines()
		const row = lines.findIndex((line) => line.includes(problem))
		expect(lines[row]).toMatch(/✗ #2 \(\d\d:\d\d\) Message 2/)
		expect(lines.findIndex((line) => line.includes('Before.'))).toBeLessThan(row)
		expect(lines.findIndex((line) => line.includes('After.'))).toBeGreaterThan(row)
		expect(screen.text()).not.toContain('FORGED')
		expect(lines.find((line) => line.startsWith('━'))).toContain('✗ 1 problem')
		const cell = screen.term.buffer.active.getLine(row)?.getCell(2)
		expect([cell?.getChars(), cell?.getFgColor()]).toEqual(['✗', 1])
	})

	test.concurrent('text that is being written stands at the end, with a cursor of its own', async () => {
		await using stage = stageOf([say(1, 'Hello.')])
		const screen = await opened(stage)
		stage.viewer.live(session, [{ block: 'b', kind: 'agent_response', text: 'I am wri' }])
		await screen.until(/I am wri\n {2}▍/)
		stage.viewer.live(session, [{ block: 'b', kind: 'agent_response', text: 'I am writing' }])
		await screen.until(/I am writing\n {2}▍/)
	})

	test.concurrent('mode, facts and counts: what nobody asked for is left out, what matters is not', async () => {
		await using stage = stageOf([
			message(1, 'system', { type: 'about', text: null, data: {} }),
			message(2, 'usage', {
				input: 1,
				output: 1,
				cache_read: 0,
				cache_write: 0,
				cost_usd: 0,
				message: null,
				model: null,
				cost_source: 'none',
			}),
			message(3, 'system', {
				type: 'mode',
				text: 'The agent asks nobody: approvals are not in effect.',
				data: { mode: 'bypassPermissions', asks: false },
			}),
		])
		const screen = await opened(stage)
		expect(screen.text()).not.toContain('about')
		expect(screen.text()).toContain('! The agent asks nobody')
	})

	test.concurrent('what cannot be read is said', async () => {
		await using stage = stageOf([], { error: 'This session has no key for this device.' })
		const screen = await opened(stage)
		expect(screen.text()).toContain('✗ This session has no key for this device.')
	})

	test.concurrent('while it loads, and when there is nothing', async () => {
		await using stage = stageOf([], { loading: true })
		const screen = await opened(stage)
		expect(screen.text()).toContain('… loading')
		stage.viewer.transcript(session).set(transcript([]))
		await screen.until('Nothing happened in this session yet.')
	})

	test.concurrent('a request that is over says who decided it, from its signed answer', async () => {
		const asked = message(1, 'permission_request', requestBody('r'))
		const answer = message(2, 'permission_response', {
			request: 'r',
			result: 'denied',
			scope: null,
			by: 'agent',
			device: null,
			reason: 'no',
			command: null,
		})
		await using stage = stageOf([asked, answer])
		const screen = await opened(stage)
		expect(screen.text()).toMatch(/wants to run a command \(Bash\) {2}\$ npm install/)
		expect(screen.text()).toContain('✗ denied where the agent runs “no”')
	})
})

describe('where the window stands', () => {
	test.concurrent('a session opens at its end and follows it', async () => {
		await using stage = stageOf(many(60))
		const screen = await opened(stage)
		expect(screen.text()).toContain('message 60.')
		stage.viewer.transcript(session).set(transcript(many(61)))
		await screen.until('message 61.')
	})

	test.concurrent('scrolled up, new messages do not move it; f follows again', async () => {
		await using stage = stageOf(many(60))
		const screen = await opened(stage)
		await screen.press(keys.pageUp)
		const body = (text: string) => text.split('\n').slice(2, -1).join('\n')
		const before = body(await screen.settled())
		expect(before).not.toContain('message 60.')
		stage.viewer.transcript(session).set(transcript(many(80)))
		expect(body(await screen.settled())).toBe(before)
		expect(screen.lines().slice(-2).join(' ')).toContain('f follow')
		await screen.press('f')
		await screen.until('message 80.')
		expect(screen.lines().at(-1)).not.toContain('f follow')
	})

	test.concurrent('line by line, page by page, first and last', async () => {
		await using stage = stageOf(many(60))
		const screen = await opened(stage)
		await screen.press('k', 'k', 'k', 'k')
		expect(screen.text()).not.toContain('message 60.')
		await screen.press('j', 'j', 'j', 'j')
		expect(screen.text()).toContain('message 60.')
		await screen.press('g')
		expect(screen.text()).toContain('— start of the session —')
		expect(screen.text()).toContain('message 1.')
		await screen.press(keys.pageDown)
		expect(screen.text()).not.toContain('message 1.\n')
		await screen.press('G')
		expect(screen.text()).toContain('message 60.')
	})

	test.concurrent('after a new size, the first line shown is still the same', async () => {
		await using stage = stageOf(many(60))
		const screen = await opened(stage)
		await screen.press(keys.pageUp, keys.pageUp)
		const top = (await screen.settled()).match(/message \d+\./)?.[0]
		await screen.resize(60, 20)
		expect(screen.text().match(/message \d+\./)?.[0]).toBe(top)
	})

	test.concurrent('going back to it, it is where it was left', async () => {
		await using stage = stageOf(many(60))
		const screen = await opened(stage)
		await screen.press(keys.pageUp, keys.pageUp)
		const before = await screen.settled()
		await screen.press(keys.escape)
		await screen.until('sessions')
		await screen.press(keys.enter)
		expect(await screen.settled()).toBe(before)
	})

	test.concurrent('over a slow line, following jumps and then stands', async () => {
		await using stage = stageOf(many(60))
		const screen = await stage.open({ env: { TERM: 'xterm-256color', SSH_CONNECTION: '1 2 3 4' } })
		await screen.press(keys.enter)
		await screen.settled()
		expect(screen.text()).toContain('message 60.')
		const row = () => screen.lines().findIndex((line) => line.includes('message 60.'))
		const before = row()
		expect(before).toBeLessThan(16)
		stage.viewer.transcript(session).set(transcript(many(61)))
		await screen.until('message 61.')
		expect(row()).toBe(before)
		for (let last = 62; last < 80; last++) {
			stage.viewer.transcript(session).set(transcript(many(last)))
			await screen.until(`message ${last}.`)
		}
	})
})

describe('what is loaded', () => {
	test.concurrent('older messages, before the first one is reached; and once', async () => {
		await using stage = stageOf(many(60, 100), { hasOlder: true })
		const screen = await opened(stage)
		expect(stage.viewer.asked).toEqual([])
		for (let page = 0; page < 12; page++) await screen.press(keys.pageUp)
		expect(stage.viewer.asked.map(({ what }) => what)).toContain('older')
		const top = (await screen.settled()).match(/message \d+\./)?.[0]
		stage.viewer
			.transcript(session)
			.set(transcript([...many(60, 40), ...many(60, 100)], { hasOlder: true }))
		expect((await screen.settled()).match(/message \d+\./)?.[0]).toBe(top)
		await screen.press(keys.pageUp)
		expect(screen.text()).toContain('message 99.')
	})

	test.concurrent('newer messages, when the end of what is loaded is reached', async () => {
		await using stage = stageOf(many(60), { hasNewer: true })
		const screen = await opened(stage)
		await screen.settled()
		expect(stage.viewer.asked.map(({ what }) => what)).toContain('newer')
		expect(screen.lines().slice(-2).join(' ')).toContain('f follow')
	})

	test.concurrent('the end, when it is to be followed and is not loaded', async () => {
		await using stage = stageOf(many(60), { hasNewer: true })
		const screen = await opened(stage)
		await screen.press(keys.pageUp, 'f')
		expect(stage.viewer.asked.map(({ what }) => what)).toContain('end')
	})

	test.concurrent('the start, when that is where one wants to be', async () => {
		await using stage = stageOf(many(60, 100), { hasOlder: true })
		const screen = await opened(stage)
		await screen.press('g')
		await screen.settled()
		expect(stage.viewer.asked.map(({ what }) => what)).toContain('around 0')
	})

	test.concurrent('one session at a time: the one on the screen', async () => {
		await using stage = stageOf(many(3))
		stage.viewer.sessions.set([
			summary(),
			summary({ id: uuid(2), project: 'web', startedAt: at(900) }),
		])
		const screen = await stage.open({ columns: 120, rows: 40 })
		await screen.press('j')
		await screen.until((text) => /━ sessions[^\n]*web/.test(text))
		await screen.settled()
		expect(stage.viewer.opened).toEqual([uuid(1), uuid(2)])
		expect(stage.viewer.open_).toBe(1)
	})

	test.concurrent('older sessions, when the last one is near', async () => {
		await using stage = new Stage()
		stage.viewer.sessions.set(
			Array.from({ length: 200 }, (_, index) =>
				summary({
					id: uuid(index + 1),
					status: 'stopped',
					endedAt: at(index),
					lastActivityAt: at(index),
				}),
			),
		)
		stage.viewer.listing.set({ more: true, loading: false })
		const screen = await stage.open()
		expect(stage.viewer.askedSessions).toBe(0)
		await screen.press('G')
		await screen.settled()
		expect(stage.viewer.askedSessions).toBe(1)
	})
})
