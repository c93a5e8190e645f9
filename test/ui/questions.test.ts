/** Questions of an agent, answered with keys: by whom they were read, and what is sent. */
import { describe, expect, test } from 'vitest'
import type { Question } from '../../source/protocol/events.ts'
import { keys, type Screen } from './_screen.ts'
import { Stage } from './_stage.ts'
import { message, request, requestBody, say, summary, transcript, uuid } from './_viewer.ts'

const id = uuid(11)
const session = uuid(1)

const question = (change: Partial<Question> = {}): Question => ({
	question: 'Which database?',
	header: 'Database',
	multiple: false,
	options: [
		{ label: 'Postgres', description: 'A server' },
		{ label: 'SQLite', description: 'A file' },
	],
	...change,
})

const checks = question({
	question: 'Which checks?',
	multiple: true,
	options: ['lint', 'types', 'tests'].map((label) => ({ label, description: null })),
})

function asking(...questions: Question[]): Stage {
	const stage = new Stage()
	const body = requestBody(id, {
		tool: 'AskUserQuestion',
		input: {},
		description: null,
		session_rules: [],
		questions,
	})
	stage.viewer.sessions.set([summary({ pending: 1 })])
	stage.viewer.requests.set([request(id, { body })])
	const asked = message(2, 'permission_request', body)
	stage.viewer.transcript(session).set(transcript([say(1, 'Hello.'), asked]))
	return stage
}

async function opened(stage: Stage, options = {}): Promise<Screen> {
	const screen = await stage.open(options)
	await screen.press('p')
	await screen.until('[a] answer')
	await screen.look()
	return screen
}

const sent = (stage: Stage) => stage.viewer.decided.map(({ choice }) => choice)
const allowed = (answers: object) => ({ decision: 'allow', scope: 'once', input: { answers } })

describe('one question', () => {
	test.concurrent('is answered by a number, shown once more, and sent', async () => {
		await using stage = asking(question())
		const screen = await opened(stage)
		await screen.press('a')
		const text = await screen.until('o in your own words')
		expect(text).toMatch(/▸ \( \) 1 Postgres +A server/)
		await screen.press('2')
		await screen.until('Which database? → SQLite')
		expect(sent(stage)).toEqual([])
		await screen.wait(800)
		await screen.press(keys.enter)
		expect(sent(stage)).toEqual([allowed({ 'Which database?': 'SQLite' })])
		await screen.until('answer: ✓ sent')
	})

	test.concurrent('is answered with arrows and enter', async () => {
		await using stage = asking(question())
		const screen = await opened(stage)
		await screen.press('a', keys.down, keys.enter)
		await screen.until('→ SQLite')
		await screen.wait(800)
		await screen.press(keys.enter)
		expect(sent(stage)).toEqual([allowed({ 'Which database?': 'SQLite' })])
	})

	test.concurrent('is answered in own words', async () => {
		await using stage = asking(question())
		const screen = await opened(stage)
		await screen.press('a', 'o', 'q', '1', 'a', keys.enter)
		await screen.until('→ q1a')
		await screen.wait(800)
		await screen.press(keys.enter)
		expect(sent(stage)).toEqual([allowed({ 'Which database?': 'q1a' })])
	})

	test.concurrent('of which several may be chosen goes on from own words', async () => {
		await using stage = asking(checks)
		const screen = await opened(stage)
		await screen.press('a', '2', 'o', 'e', '2', 'e', keys.enter)
		await screen.until('[x] o in your own words  e2e')
		await screen.press(keys.enter)
		await screen.until('Which checks? → types, e2e')
		await screen.wait(800)
		await screen.press(keys.enter)
		expect(sent(stage)).toEqual([allowed({ 'Which checks?': ['types', 'e2e'] })])
	})

	test.concurrent('that takes no other words offers none', async () => {
		await using stage = asking(question({ other: false }))
		const screen = await opened(stage)
		await screen.press('a')
		await screen.until('2 SQLite')
		expect(screen.text()).not.toContain('own words')
		await screen.press('o', '3', 'x')
		await screen.press(keys.down, keys.down, keys.down, keys.enter)
		await screen.until('→ SQLite')
	})

	test.concurrent('without choices is written at once', async () => {
		await using stage = asking(question({ options: [] }))
		const screen = await opened(stage)
		await screen.press('a', 'h', 'i', keys.enter)
		await screen.until('Which database? → hi')
		await screen.wait(800)
		await screen.press(keys.enter)
		expect(sent(stage)).toEqual([allowed({ 'Which database?': 'hi' })])
	})
})

describe('several questions', () => {
	test.concurrent('come one after the other, and one can go back', async () => {
		await using stage = asking(question(), checks)
		const screen = await opened(stage)
		await screen.press('a')
		await screen.until('Question 1 of 2: Which database?')
		await screen.press('1')
		await screen.until('Question 2 of 2: Which checks?')
		await screen.press(keys.enter)
		await screen.until('Choose at least one')
		await screen.press(keys.escape)
		await screen.until('(•) 1 Postgres')
		await screen.press('2', ' ', 'j', 'j', ' ')
		await screen.until((text) => text.includes('[x] 1 lint') && text.includes('[x] 3 tests'))
		await screen.press('3', '2', keys.enter)
		await screen.until((text) => text.includes('→ SQLite') && text.includes('→ lint, types'))
		await screen.wait(800)
		await screen.press(keys.enter)
		expect(sent(stage)).toEqual([
			allowed({ 'Which database?': 'SQLite', 'Which checks?': ['lint', 'types'] }),
		])
	})
})

describe('nothing is answered by accident', () => {
	test.concurrent('before all of it was on the screen', async () => {
		const options = Array.from({ length: 60 }, (_, index) => ({
			label: `choice ${index}`,
			description: null,
		}))
		await using stage = asking(question({ options }))
		const screen = await stage.open()
		await screen.press('p')
		await screen.look()
		await screen.press('a')
		await screen.until('read them first')
		expect(screen.text()).not.toContain('own words')
	})

	test.concurrent('in the moment after it appeared, or after the answers did', async () => {
		await using stage = asking(question())
		const screen = await stage.open()
		await screen.press('p')
		await screen.until('[a] answer')
		await screen.press('a')
		await screen.until('too soon')
		await screen.wait(800)
		await screen.press('a', '1')
		await screen.until('Send this?')
		await screen.wait(100)
		await screen.press(keys.enter)
		await screen.until('came too soon: look at the answers')
		expect(sent(stage)).toEqual([])
	})

	test.concurrent('by what comes in one piece', async () => {
		await using stage = asking(question())
		const screen = await opened(stage)
		await screen.press('a')
		await screen.wait(800)
		await screen.press('1\r')
		await screen.wait(800)
		expect(sent(stage)).toEqual([])
		await screen.press('\r\r')
		expect(sent(stage)).toEqual([])
	})

	test.concurrent('when it was answered elsewhere, or replaced, meanwhile', async () => {
		for (const change of [
			(stage: Stage) => stage.viewer.settle(id, 'denied'),
			(stage: Stage) => stage.change(id, { digest: 'cc'.repeat(32) }),
		]) {
			await using stage = asking(question())
			const screen = await opened(stage)
			await screen.press('a', '1')
			await screen.wait(800)
			change(stage)
			screen.input.push(keys.enter)
			await screen.settled()
			expect(sent(stage)).toEqual([])
		}
	})

	test.concurrent('after esc nothing is kept of it', async () => {
		await using stage = asking(question())
		const screen = await opened(stage)
		await screen.press('a', keys.escape)
		expect(await screen.settled()).not.toContain('own words')
		await screen.press('1', keys.enter)
		expect(sent(stage)).toEqual([])
	})
})

test('what the agent wrote can not pass for ours', async () => {
	const label = 'yes\u202E\u001B[31m\nno'
	await using stage = asking(question({ options: [{ label, description: '\u200Bx' }] }))
	const screen = await opened(stage)
	await screen.press('a', '1')
	const text = await screen.until('Send this?')
	expect(text).toMatch(/→ yes.*⏎no/)
	expect(screen.written).not.toContain('\u202E')
})
