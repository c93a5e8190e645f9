/** The mouse: it scrolls and highlights, it never answers, and no part of a report is a key. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type MouseAct, MouseReports, mouseOff, mouseOn } from '../../source/ui/mouse.ts'
import { keys } from './_screen.ts'
import { first, type Stage, twoWaiting } from './_stage.ts'
import { requestBody, say, transcript, uuid } from './_viewer.ts'

/** What a terminal sends; column and row from 0. */
const sgr = (button: number, column: number, row: number, end = 'M') =>
	`\u001B[<${button};${column + 1};${row + 1}${end}`
const click = (column: number, row: number) => [sgr(0, column, row), sgr(0, column, row, 'm')]
const wheelDown = (column: number, row: number) => sgr(65, column, row)
const wheelUp = (column: number, row: number) => sgr(64, column, row)

function read(pieces: readonly string[]): { keys: string; acts: MouseAct[] } {
	const acts: MouseAct[] = []
	const reports = new MouseReports((act) => acts.push(act))
	return { keys: pieces.map((piece) => reports.keys(piece)).join(''), acts }
}

describe('reports of the mouse', () => {
	test('are taken out of what is read, in order', () => {
		expect(read([`a${wheelDown(3, 4)}b${sgr(0, 0, 0)}${sgr(0, 0, 0, 'm')}c`])).toEqual({
			keys: 'abc',
			acts: [
				{ type: 'wheel', by: 1, column: 3, row: 4 },
				{ type: 'click', column: 0, row: 0 },
			],
		})
	})

	test('of other buttons and of dragging do nothing', () => {
		for (const button of [1, 2, 32, 35, 66, 67, 128]) {
			expect(read([sgr(button, 1, 1)])).toEqual({ keys: '', acts: [] })
		}
	})

	test('with shift, alt or ctrl held are the same', () => {
		expect(read([sgr(65 + 4 + 16, 1, 1)]).acts).toMatchObject([{ type: 'wheel', by: 1 }])
	})

	test('cut anywhere, leave no letter or digit behind that could be a key', () => {
		const text = `j${wheelDown(12, 9)}${sgr(0, 100, 40, 'm')}k`
		fc.assert(
			fc.property(fc.uniqueArray(fc.nat({ max: text.length - 1 }), { maxLength: 6 }), (cuts) => {
				const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
				const pieces = at.slice(1).map((end, index) => text.slice(at[index], end))
				const { keys: left, acts } = read(pieces)
				expect(left.replaceAll('\u001B', '').replaceAll('[', '')).toBe('jk')
				expect(acts).toEqual([{ type: 'wheel', by: 1, column: 12, row: 9 }])
			}),
		)
	})

	test('are not found in what only looks like one', () => {
		for (const text of ['\u001B[A', '\u001B', '[<5', '\u001B[<x', '\u001B[1;5M', '<1;1;1M']) {
			expect(read([text]), JSON.stringify(text)).toEqual({ keys: text, acts: [] })
		}
	})
})

describe('the wheel', () => {
	const messages = Array.from({ length: 60 }, (_, index) => say(index + 1, `message ${index + 1}.`))

	function withText(): Stage {
		const stage = twoWaiting()
		stage.viewer.requests.set([])
		stage.viewer.transcript(uuid(1)).set(transcript(messages))
		return stage
	}

	test('scrolls the pane under it: the list, or the transcript beside it', async () => {
		await using stage = withText()
		const screen = await stage.open({ columns: 120, rows: 40, mouse: true })
		await screen.until('message 60.')
		await screen.press(wheelUp(80, 20))
		await screen.until((text) => !text.includes('message 60.'))
		expect(screen.text()).toMatch(/▸. api-server/)
		await screen.press(wheelDown(80, 20))
		await screen.until('message 60.')
		await screen.press(wheelDown(3, 4))
		await screen.until(/▸. web/)
	})

	test('does nothing over the list beside an open session', async () => {
		await using stage = withText()
		const screen = await stage.open({ columns: 120, rows: 40, mouse: true })
		await screen.press(keys.enter)
		const before = await screen.until('message 60.')
		await screen.press(wheelUp(3, 5), ...click(3, 5))
		expect(screen.text()).toBe(before)
	})

	test('scrolls the help, and a line being typed stays as it is', async () => {
		await using stage = withText()
		const screen = await stage.open({ mouse: true })
		await screen.press('?')
		const before = screen.text()
		await screen.press(wheelDown(10, 10))
		expect(screen.text()).not.toBe(before)
		await screen.press('/', 'q', wheelDown(10, 10), 'u')
		expect(screen.text()).toContain('› qu')
	})

	test('shows what is left to read of a request, which then can be allowed', async () => {
		await using stage = twoWaiting()
		const command = Array.from({ length: 40 }, (_, line) => `echo ${line}`).join('\n')
		stage.change(first, { body: requestBody(first, { input: { command } }) })
		const screen = await stage.open({ mouse: true })
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		for (let notch = 0; notch < 20; notch++) await screen.press(wheelDown(10, 15))
		await screen.look()
		await screen.press('a')
		expect(stage.answers()).toMatchObject([{ id: first, decision: 'allow' }])
	})
})

describe('a click', () => {
	test('highlights an entry', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open({ mouse: true })
		const row = screen.lines().findIndex((line) => line.includes('web'))
		await screen.press(...click(10, row))
		await screen.until(/▸. web/)
	})

	test('on any cell of the screen answers nothing and opens nothing', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open({ columns: 40, rows: 15, mouse: true })
		await screen.look()
		for (let row = 0; row < 15; row++) {
			await screen.press(Array.from({ length: 40 }, (_, column) => sgr(0, column, row)).join(''))
		}
		expect(stage.answers()).toEqual([])
		expect(screen.lines().at(-1)).toContain('all keys')
	})
})

describe('the terminal', () => {
	test('has its mouse back after the screen was left', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open({ mouse: true })
		expect(screen.written).toContain(mouseOn)
		await screen.press('q')
		await screen.exited
		expect(screen.written.lastIndexOf(mouseOff)).toBeGreaterThan(
			screen.written.lastIndexOf(mouseOn),
		)
	})

	test('keeps its mouse where nobody asked for it', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press(wheelDown(3, 3))
		expect(screen.written).not.toContain('?1000')
		expect(stage.answers()).toEqual([])
	})
})
