/** The viewer as it is installed, in a pty: the first run, and every way out. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveHome } from '../../source/config/paths.ts'
import { stopEmbedded } from '../../source/server/discover.ts'
import { cooked, environment, left, program, start, timeout } from '../tools/installed.ts'
import { Terminal } from '../tools/terminal.ts'

let folder: string

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'styrby-test-'))
	await writeFile(path.join(folder, 'passphrase'), 'only for this test\n', { mode: 0o600 })
})

afterAll(async () => {
	const home = resolveHome({ STYRBY_HOME: path.join(folder, 'home') }, process.platform)
	await stopEmbedded({ data: home.data, run: home.run })
	await rm(folder, { recursive: true, force: true })
})

/** Runs the viewer inside a shell that tells how it ended and how the terminal was left. */
async function viewer(more: Record<string, string> = {}) {
	const pidFile = path.join(folder, `pid-${Math.random().toString(36).slice(2)}`)
	const inner = `echo $$ > ${pidFile}; exec ${start}`
	const terminal = new Terminal({
		command: 'sh',
		args: ['-c', `trap '' HUP TERM; sh -c '${inner}'; echo "left with $?"; stty -a; echo end`],
		env: environment(folder, more),
		columns: 80,
		rows: 24,
	})
	return { terminal, pid: async () => Number(await readFile(pidFile, 'utf8')) }
}

describe('the demo leaves nothing behind', () => {
	const leftovers = async () =>
		(await readdir(folder)).filter((name) => name.startsWith('styrby-demo-'))
	const demo = () =>
		new Terminal({
			command: process.execPath,
			args: [program, 'demo'],
			env: environment(folder),
		})

	test('when it is told to end before it has begun', { timeout }, async () => {
		await using terminal = demo()
		await expect.poll(leftovers, { timeout: 60_000 }).toHaveLength(1)
		await terminal.press('\u0003')
		expect(await terminal.exited).toBe(130)
		expect(await leftovers()).toEqual([])
	})

	test('when the terminal goes away while it cleans up', { timeout }, async () => {
		await using terminal = demo()
		await terminal.until('2 waiting')
		await terminal.press('q')
		process.kill(terminal.pid, 'SIGHUP')
		await terminal.exited
		expect(await leftovers()).toEqual([])
	})
})

describe('the viewer with nothing in it yet', () => {
	test('says what was set up and what to type next', { timeout }, async () => {
		const { terminal } = await viewer()
		await using _ = terminal
		const text = await terminal.until('Everything is set up.')
		expect(text).toMatch(/Backend +embedded, on this machine http:\/\/127\.0\.0\.1:\d+/)
		expect(text).toMatch(/Secret keys +key file/)
		expect(text).toContain('$ styrby-tui run claude')
		expect(text).toContain('This is the only device')
		await terminal.press('p')
		await terminal.until('nothing waits for you')
		await terminal.press('q', 'q')
		await terminal.until('left with 0')
	})

	test.each([
		['SIGTERM', 143],
		['SIGHUP', 129],
		['SIGINT', 130],
	] as const)('leaves the terminal clean on %s', { timeout }, async (signal, code) => {
		const { terminal, pid } = await viewer()
		await using _ = terminal
		await terminal.until('Everything is set up.')
		process.kill(await pid(), signal)
		const text = await terminal.until(/^end$/m)
		expect(text).toContain(`left with ${code}`)
		expect(text).toMatch(cooked)
		expect(terminal.modes).toEqual(left)
	})

	test('keys pressed before the first frame do not spoil it', { timeout }, async () => {
		const { terminal } = await viewer()
		await using _ = terminal
		for (let key = 0; key < 40 && !terminal.text().includes('set up'); key++) {
			await terminal.press('x')
		}
		await terminal.until('Everything is set up.')
		expect((await terminal.settled()).split('\n')[0]).toMatch(/^ styrby /)
		await terminal.press('q')
		await terminal.until('left with 0')
	})

	test('NO_COLOR: no colour, but all that it means', { timeout }, async () => {
		const { terminal } = await viewer({ NO_COLOR: '1' })
		await using _ = terminal
		await terminal.until('Everything is set up.')
		await terminal.press('?', 'G')
		await terminal.until('Signs')
		await terminal.press('q', 'q')
		await terminal.until('left with 0')
		const screen = terminal.written.slice(0, terminal.written.indexOf('left with'))
		// biome-ignore lint/suspicious/noControlCharactersInRegex: that is how colours are set
		expect(screen).not.toMatch(/\u001B\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]/)
		expect(screen).toContain('⚠ This is the only device')
	})

	test('a second one at the same time shows the same', { timeout }, async () => {
		const one = await viewer()
		await using _ = one.terminal
		const two = await viewer()
		await using __ = two.terminal
		const [text, other] = await Promise.all([
			one.terminal.until('Everything is set up.'),
			two.terminal.until('Everything is set up.'),
		])
		const print = (shown: string) => /Fingerprint +(\S+)/.exec(shown)?.[1]
		expect(print(text)).toBeDefined()
		expect(print(other)).toBe(print(text))
	})
})
