/** What a request would do is changed before it is allowed. */
import { describe, expect, test } from 'vitest'
import { changedInput, editableText } from '../../source/ui/changed-input.ts'
import { keys, type Screen } from './_screen.ts'
import { first, type Stage, twoWaiting } from './_stage.ts'
import { requestBody } from './_viewer.ts'

const command = 'npm install express-rate-limit'

function waiting(change = {}): Stage {
	const stage = twoWaiting()
	stage.change(first, { body: requestBody(first, { editable: true, ...change }) })
	return stage
}

async function opened(stage: Stage): Promise<Screen> {
	const screen = await stage.open()
	await screen.press('p')
	await screen.look()
	return screen
}

test.concurrent('its command is typed, looked at as a difference with its risk, and allowed', async () => {
	await using stage = waiting()
	const screen = await opened(stage)
	expect(screen.text()).toContain('[e] change')
	await screen.press('e')
	await screen.until(`› ${command}`)
	await screen.press(...' && rm -rf ~', keys.enter)
	const text = await screen.until('Allow it as changed')
	expect(text).toContain(` − ${command}`)
	expect(text).toContain(` + ${command} && rm -rf ~`)
	expect(text).toContain('HIGH')
	expect(stage.answers()).toEqual([])
	await screen.wait(800)
	await screen.press(keys.enter)
	const input = { command: `${command} && rm -rf ~` }
	expect(stage.answers()).toEqual([{ id: first, decision: 'allow', scope: 'once', input }])
	await screen.until('allow as changed: ✓ sent')
})

test.concurrent('esc goes back to the editor, and then away, and nothing is sent', async () => {
	await using stage = waiting()
	const screen = await opened(stage)
	await screen.press('e', 'x', keys.enter)
	await screen.until('Allow it as changed')
	await screen.press(keys.escape)
	await screen.until(`› ${command}x`)
	await screen.press(keys.escape)
	expect(await screen.settled()).not.toContain('›')
	expect(stage.answers()).toEqual([])
})

describe('nothing is allowed as changed', () => {
	test.concurrent('that was not changed', async () => {
		await using stage = waiting()
		const screen = await opened(stage)
		await screen.press('e', keys.enter)
		await screen.until('Nothing was changed')
	})

	test.concurrent('too soon, by what comes in one piece, or when it is another request by now', async () => {
		await using stage = waiting()
		const screen = await opened(stage)
		await screen.press('e', 'x', keys.enter, keys.enter)
		await screen.until('wait a second')
		await screen.wait(800)
		await screen.press('\r\r')
		expect(stage.answers()).toEqual([])
		stage.change(first, { digest: 'cc'.repeat(32) })
		screen.input.push(keys.enter)
		await screen.settled()
		expect(stage.answers()).toEqual([])
	})

	test.concurrent('where the agent takes none', async () => {
		await using stage = waiting({ editable: false })
		const screen = await opened(stage)
		await screen.press('e')
		await screen.until('takes no changed input')
		expect(screen.text()).not.toContain('[e]')
	})

	test.concurrent('that does not fit on the screen', async () => {
		await using stage = waiting()
		const screen = await opened(stage)
		const lines = Array.from({ length: 60 }, (_, line) => `echo ${line}`).join('\r')
		await screen.press('e', `\u001B[200~${lines}\u001B[201~`, keys.enter)
		await screen.until('does not fit')
	})
})

test.each<[unknown, string, unknown]>([
	[{ command: 'a', timeout: 5 }, 'b', { ok: true, input: { command: 'b', timeout: 5 } }],
	[{ command: 'a' }, ' a\n', { ok: false, why: 'same' }],
	[{ command: 'a' }, ' ', { ok: false, why: 'empty' }],
	[{ path: 'x' }, '{"path":"y"}', { ok: true, input: { path: 'y' } }],
	[{ path: 'x' }, '{ "path": "x" }', { ok: false, why: 'same' }],
	[{ path: 'x' }, '{"path":', { ok: false, why: 'malformed' }],
	[{ path: 'x' }, '[1]', { ok: false, why: 'malformed' }],
	[{ path: 'x' }, '7', { ok: false, why: 'malformed' }],
])('%j with %j', (input, text, expected) => {
	expect(changedInput(input, text)).toEqual(expected)
})

test('what is typed of an input without a command is all of it', () => {
	expect(editableText({ path: 'x', lines: [1] })).toBe(
		'{\n  "path": "x",\n  "lines": [\n    1\n  ]\n}',
	)
})
