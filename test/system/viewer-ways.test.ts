/** The demo as it is installed, in a pty: with the mouse, and as lines for a screen reader. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { environment, left, program, timeout } from '../tools/installed.ts'
import { Terminal } from '../tools/terminal.ts'

let folder: string

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'styrby-test-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const demo = (flag: string) =>
	new Terminal({
		command: process.execPath,
		args: [program, 'demo', flag],
		env: environment(folder),
		columns: 80,
		rows: 24,
	})

/** What a terminal sends for a button or the wheel at a cell, counted from 0. */
const report = (button: number, column: number, row: number, end = 'M') =>
	`\u001B[<${button};${column + 1};${row + 1}${end}`

test('--mouse: a click highlights, the wheel scrolls, neither answers, and it is off in the end', {
	timeout,
}, async () => {
	await using terminal = demo('--mouse')
	await terminal.until('2 waiting')
	expect(terminal.screen.modes.mouseTrackingMode).toBe('vt200')
	await terminal.looked()
	const lines = terminal.lines()
	const row = lines.findIndex((line) => line.startsWith(' ⚠ '))
	const name = /⚠ (\S+)/.exec(lines[row] ?? '')?.[1]
	expect(name).toBeDefined()
	await terminal.press(report(0, 10, row), report(0, 10, row, 'm'))
	await terminal.until(`▸⚠ ${name}`)
	const buttons = terminal.lines().findIndex((line) => line.includes('[a] allow'))
	await terminal.looked()
	for (const at of [buttons, 22, 23]) {
		for (const column of [1, 5, 12]) {
			await terminal.press(report(0, column, at), report(0, column, at, 'm'))
		}
	}
	// As far as it goes, back to the first of them.
	for (let notch = 0; notch < 10; notch++) await terminal.press(report(64, 10, row))
	await terminal.until((text) => /▸⚠/.test(text) && !text.includes(`▸⚠ ${name}`))
	expect(await terminal.settled()).toContain('2 waiting')
	expect(terminal.text()).not.toMatch(/sent|allowed|denied/)
	await terminal.press('q')
	expect(await terminal.exited).toBe(0)
	expect(terminal.screen.modes.mouseTrackingMode).toBe('none')
	expect(terminal.modes).toEqual(left)
})

test('--screen-reader: each is said as a line, an answer too, and nothing is moved or erased', {
	timeout,
}, async () => {
	await using terminal = demo('--screen-reader')
	const said = (what: string, from = 0) =>
		terminal.until(() => terminal.written.slice(from).includes(what))
	await said('attention: 2 waiting')
	await said('Word for word:')
	await terminal.looked()
	const before = terminal.written.length
	await terminal.press('a')
	await said('allow once: ok sent', before)
	await said('ok applied', before)
	await terminal.press('q')
	expect(await terminal.exited).toBe(0)
	expect(terminal.modes).toEqual(left)
	expect(terminal.written).not.toContain('\u001B[?1049h')
	// biome-ignore lint/suspicious/noControlCharactersInRegex: cursor moves, erasures and colours
	expect(terminal.written).not.toMatch(/\u001B\[\d*(?:;\d+)*[A-HJKSTfm]/)
	expect(terminal.written).not.toMatch(/[─━│▸▶⚠✓✗●]/)
})
