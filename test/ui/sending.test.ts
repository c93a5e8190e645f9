import { describe, expect, test } from 'vitest'
import type { Sender, SessionFacts } from '../../source/viewer/viewer.ts'
import { keys } from './_screen.ts'
import { Stage } from './_stage.ts'
import { at, message, now, say, summary, transcript, uuid } from './_viewer.ts'

const session = uuid(1)
const takesAll: SessionFacts = {
	takes: { prompt: true, interrupt: true, modes: ['default', 'acceptEdits', 'plan'] },
	mode: 'default',
	asks: true,
}

function oneSession(facts: SessionFacts = takesAll, change = {}): Stage {
	const stage = new Stage()
	stage.viewer.sessions.set([summary(change)])
	stage.viewer.transcript(session).set(transcript([say(1, 'Hello.')], { facts }))
	return stage
}

async function opened(stage: Stage, options = {}) {
	const screen = await stage.open(options)
	await screen.press(keys.enter)
	await screen.until('Hello.')
	return screen
}

describe('a prompt', () => {
	test.concurrent('is typed, sent with enter, and shows how far it came', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('i', 'g', 'o', ' ', 'q', 'a', 'd')
		expect(await screen.settled()).toContain('› go qad')
		await screen.press(keys.enter)
		expect(stage.viewer.sendings).toEqual([{ session, what: { kind: 'prompt', text: 'go qad' } }])
		await screen.until('prompt: ✓ sent  … stored  · obeyed')
		stage.viewer.reachSent(session, 'stored')
		stage.viewer.reachSent(session, 'obeyed')
		await screen.until('prompt: ✓ sent  ✓ stored  ✓ obeyed')
	})

	test.concurrent('says why it was not taken, and is there to be sent again', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('i', 'g', 'o', keys.enter)
		stage.viewer.reachSent(session, 'refused', 'The agent is busy.')
		await screen.until('✗ refused (The agent is busy.)')
		await screen.press('i')
		await screen.until('› go')
		await screen.press('!', keys.enter)
		expect(stage.viewer.sendings.at(-1)?.what).toEqual({ kind: 'prompt', text: 'go!' })
	})

	test.concurrent('that is pasted keeps its lines and is not sent by them', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('i')
		await screen.press('\u001B[200~one\r\n\ttwo\rthree\u001B[201~')
		await screen.until((text) => text.includes('› one') && text.includes('·     two'))
		// As from a terminal without bracketed paste.
		await screen.press('\rfour\r')
		expect(stage.viewer.sendings).toEqual([])
		await screen.press('x', '\n', 'y', keys.enter)
		expect(stage.viewer.sendings.map(({ what }) => what)).toEqual([
			{ kind: 'prompt', text: 'one\n\ttwo\nthree\nfour\nx\ny' },
		])
	})

	test.concurrent('that was begun is kept when one leaves, and can be edited in its lines', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('i', 'a', '\n', 'b', keys.escape)
		await screen.until('Kept')
		await screen.press('q', keys.enter, 'i')
		await screen.until('· b')
		await screen.press(keys.up, 'X', keys.end, 'Y', keys.enter)
		expect(stage.viewer.sendings.at(-1)?.what).toEqual({ kind: 'prompt', text: 'aXY\nb' })
		await screen.press('i')
		expect(await screen.settled()).not.toContain('aXY')
	})

	test.concurrent('of nothing is not sent', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('i', ' ', keys.enter)
		await screen.until('nothing to send')
		expect(stage.viewer.sendings).toEqual([])
	})

	test.concurrent('longer than the screen scrolls with its cursor', async () => {
		await using stage = oneSession()
		const screen = await opened(stage, { columns: 40, rows: 15 })
		await screen.press('i')
		const text = Array.from({ length: 30 }, (_, line) => `line ${line}`).join('\r')
		await screen.press(`\u001B[200~${text}\u001B[201~`)
		expect(await screen.settled()).toContain('line 29')
		for (let line = 0; line < 29; line++) await screen.press(keys.up)
		expect(await screen.settled()).toContain('› line 0')
		expect(screen.lines()).toHaveLength(15)
	})
})

describe('an interrupt', () => {
	test.concurrent('is asked once more, and sent', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('x')
		await screen.until('Interrupt the agent of api-server?')
		await screen.press('x', 'x')
		expect(stage.viewer.sendings).toEqual([])
		await screen.press(keys.enter)
		expect(stage.viewer.sendings).toEqual([{ session, what: { kind: 'interrupt' } }])
	})

	test.concurrent('is not sent by what comes in one piece, nor after esc', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('x\r')
		await screen.press(keys.escape, keys.enter)
		expect(stage.viewer.sendings).toEqual([])
	})
})

describe('what was refused', () => {
	test.concurrent('is shown until something else is sent, or for a while once the session is over', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('x', keys.enter)
		stage.viewer.reachSent(session, 'refused', 'no turn runs')
		await screen.until('refused (no turn runs)')
		await screen.wait(60_000)
		expect(await screen.settled()).toContain('refused (no turn runs)')
		stage.viewer.sessions.set([summary({ status: 'stopped', endedAt: at(0) })])
		await screen.until((text) => !text.includes('refused'))
	})
})

describe('a mode', () => {
	test.concurrent('is chosen among those that the session takes; the current one and risky ones are marked', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		expect(screen.text()).toContain('manual mode')
		await screen.press('m')
		const text = await screen.until('Mode of api-server')
		expect(text).toMatch(/▸ manual +\(now\)/)
		expect(text).toMatch(/acceptEdits +⚠ edits are made unasked/)
		expect(text).toMatch(/^ {3}plan$/m)
		await screen.press('j', keys.down, keys.down)
		await screen.until('▸ plan')
		await screen.press(keys.enter)
		expect(stage.viewer.sendings).toEqual([{ session, what: { kind: 'mode', mode: 'plan' } }])
		stage.viewer.transcript(session).update((state) => ({
			...state,
			facts: { ...takesAll, mode: 'plan' },
		}))
		await screen.until('plan mode')
	})

	test.concurrent('that it is in already is not sent', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('m', keys.enter)
		expect(stage.viewer.sendings).toEqual([])
	})

	test.concurrent('in which nobody is asked is said in the header', async () => {
		await using stage = oneSession({ takes: null, mode: 'auto', asks: false })
		const screen = await opened(stage)
		expect(screen.text()).toContain('⚠ auto mode: nobody is asked')
	})
})

describe('where nothing can be sent', () => {
	const none = { prompt: false, interrupt: false, modes: [] }
	test.concurrent.each([
		['its own interface', oneSession({ ...takesAll, takes: none }), 'runs in its own interface'],
		['ended', oneSession(takesAll, { endedAt: at(3), status: 'stopped' }), 'has ended'],
		['silent', oneSession(takesAll, { stale: true }), 'is silent'],
		['unknown', oneSession({ ...takesAll, takes: null }), 'has not said'],
	])('%s: the keys say why', async (_, stage, why) => {
		await using _stage = stage
		const screen = await opened(stage)
		for (const key of ['i', 'x']) {
			await screen.press(key)
			await screen.until(why)
		}
		await screen.press('m', keys.enter)
		expect(stage.viewer.sendings).toEqual([])
		expect(screen.lines().at(-1)).not.toContain('i prompt')
	})

	test.concurrent('a session that ends while a prompt is written gets none, and the prompt is kept', async () => {
		await using stage = oneSession()
		const screen = await opened(stage)
		await screen.press('i', 'g', 'o')
		stage.viewer.sessions.set([summary({ endedAt: at(0), status: 'stopped' })])
		await screen.settled()
		await screen.press(keys.enter)
		await screen.until('has ended')
		expect(stage.viewer.sendings).toEqual([])
		expect(screen.text()).toContain('› go')
	})
})

describe('who sent it', () => {
	const sender: Sender = {
		device: uuid(901),
		name: 'laptop',
		kind: 'prompt',
		text: 'go on',
		verified: true,
		became: 2,
	}
	const record = (seq: number) => message(seq, 'system', { type: 'command', text: null, data: {} })
	const prompt = message(2, 'user_prompt', { text: 'go on', source: 'viewer' })

	test.concurrent('stands with the prompt, once', async () => {
		await using stage = oneSession()
		const senders = new Map([
			[2, sender],
			[3, sender],
			[4, { ...sender, kind: 'interrupt', text: null, became: null } as const],
			[5, { ...sender, kind: 'mode', text: 'plan', became: null, verified: false } as const],
		])
		const messages = [say(1, 'Hello.'), prompt, record(3), record(4), record(5)]
		stage.viewer.transcript(session).set(transcript(messages, { senders }))
		const screen = await opened(stage)
		const text = await screen.until('from laptop')
		expect(text.match(/from laptop/g)).toHaveLength(3)
		expect(text).toMatch(/▌ go on\n.*▌ from laptop ✓ signature checked/)
		expect(text).toContain('· interrupted from laptop ✓ signature checked')
		expect(text).toContain('· mode changed to plan from laptop ✗ NOT signed by it')
	})

	test.concurrent('is not claimed without the record', async () => {
		await using stage = oneSession()
		stage.viewer.transcript(session).set(transcript([say(1, 'Hello.'), prompt]))
		const screen = await opened(stage)
		await screen.until('not proved')
	})
})

test('the clock of the tests is the one that stages are shown by', () => {
	expect(Date.parse(at(0))).toBe(now)
})
