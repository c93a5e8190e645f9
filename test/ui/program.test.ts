/** The demo as it is installed, in a pty, on an emulated terminal: from its start to a clean terminal. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sideBySide } from '../../source/ui/layout.ts'
import { cooked, environment, left, program, start, timeout } from '../tools/installed.ts'
import { Terminal } from '../tools/terminal.ts'
import { foreign } from './_raw.ts'

let folder: string

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'styrby-test-'))
})

afterAll(async () => {
	await rm(folder, { recursive: true, force: true })
})

/** An interactive shell, as it is around the program on a real terminal. */
async function shell(size: { columns: number; rows: number }): Promise<Terminal> {
	const terminal = new Terminal({ command: 'sh', args: ['-i'], env: environment(folder), ...size })
	await terminal.until('shell>')
	return terminal
}

async function type(terminal: Terminal, line: string): Promise<void> {
	await terminal.press(`${line}\r`)
}

/** What is left of demos in the temporary folder. */
async function leftovers(): Promise<string[]> {
	return (await readdir(folder)).filter((name) => name.startsWith('styrby-demo-'))
}

/** The column between the list and the session, at 120 columns. */
const besides = sideBySide(120).list

describe('the demo', () => {
	test('from start to end at 80×24: answer, sizes, ctrl-z, quit', { timeout }, async () => {
		await using terminal = await shell({ columns: 80, rows: 24 })
		await type(terminal, `${start} demo`)
		// The name has its place once the connection is there.
		await terminal.until(/^ styrby Sessions 8 · ● 2 live · ⚠ 2 waiting .*laptop ✓/)
		expect(terminal.modes).toMatchObject({ alternate: true, cursor: false })
		const lines = (await terminal.settled()).split('\n')
		expect(lines[0]).toMatch(/^ styrby Sessions 8 · ● 2 live · ⚠ 2 waiting .*laptop ✓/)
		expect(lines[1]).toMatch(/^ demo: /)
		expect(lines[2]).toMatch(/^━ sessions ━+$/)
		expect(lines.slice(-2).join('\n')).toMatch(/^ a allow {2}d deny .*\? all keys/s)
		expect(lines.join('\n')).toContain('[a] allow')

		// The answer: its stages, and then what the agent does with it, without another key.
		const name = /▸⚠ ([\w-]+)/.exec(lines.join('\n'))?.[1] ?? 'none'
		await terminal.press('a')
		await terminal.until('✓ sent  ✓ stored  ✓ verified  ✓ applied')
		await terminal.until(new RegExp(`▸[●⚠] ${name}`))
		await terminal.until(new RegExp(`━ sessions[^]*─ ${name}[^]*(✓|✗ exit 1) \\d`))

		terminal.resize(120, 40)
		await terminal.until(/^━ sessions ━+┬─ /m)
		await terminal.settled()
		for (const line of terminal.lines().slice(2, -2)) expect(line.charAt(besides)).toMatch(/[┬│]/)
		terminal.resize(40, 15)
		await terminal.until((text) => text.split('\n').every((line) => line.length <= 40))
		terminal.resize(20, 5)
		await terminal.until('Too small')
		terminal.resize(80, 24)
		await terminal.until(/^━ sessions ━+$/m)

		await terminal.press('\u001A')
		await terminal.until((text) => /shell> $/m.test(`${text.trimEnd()} `))
		expect(terminal.modes).toEqual(left)
		await type(terminal, 'stty -a')
		expect(await terminal.until(/icanon/)).toMatch(cooked)
		await type(terminal, 'fg')
		await terminal.until(/^━ sessions ━+$/m)
		expect(terminal.modes).toMatchObject({ alternate: true, cursor: false })

		await terminal.press('q')
		await terminal.until(() => !terminal.modes.alternate)
		expect(terminal.modes).toEqual(left)
		await type(terminal, 'echo "left with $?"; stty -a')
		const since = () => terminal.written.split('left with 0\r\n')[1] ?? ''
		await terminal.until(() => cooked.test(since()))
		expect(await leftovers()).toEqual([])
		await type(terminal, 'exit')
	})

	test('at 120×40 both panes are there from the first frame, and r tells the agent why', {
		timeout,
	}, async () => {
		await using terminal = new Terminal({
			command: process.execPath,
			args: [program, 'demo'],
			env: environment(folder),
			columns: 120,
			rows: 40,
		})
		await terminal.until('2 waiting')
		const lines = (await terminal.settled()).split('\n')
		expect(lines[2]).toMatch(/^━ sessions ━+┬─ [\w-]+ · /)
		for (const line of lines.slice(3, -2)) expect(line.charAt(besides)).toBe('│')
		await terminal.press('r')
		await terminal.until('Why not?')
		expect(terminal.modes.cursor).toBe(true)
		await terminal.press(...'not today', '\r')
		await terminal.until('“not today” · signature checked')
		await terminal.until('deny: ✓ sent  ✓ stored  ✓ verified  ✓ applied')
		expect(foreign(terminal.written)).toBeNull()
		await terminal.press('\u0003')
		expect(await terminal.exited).toBe(130)
		expect(terminal.modes).toEqual(left)
		expect(await leftovers()).toEqual([])
	})

	test('without a screen it is text: TERM=dumb', { timeout }, async () => {
		await using terminal = new Terminal({
			command: process.execPath,
			args: [program, 'demo'],
			env: environment(folder, { TERM: 'dumb' }),
			columns: 110,
			rows: 40,
		})
		expect(await terminal.exited).toBe(0)
		expect(terminal.written).not.toContain('\u001B')
		expect(terminal.written).toContain('permission requests answered')
	})
})
