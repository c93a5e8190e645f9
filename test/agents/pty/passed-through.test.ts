/** A program in the pseudo-terminal, seen from the terminal of the person in front of it. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { spawn } from '@lydell/node-pty'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RawPty } from '../../../source/agents/pty/load.ts'
import { isAlive } from '../../../source/config/is-alive.ts'

const here = import.meta.dirname
const limit = { timeout: 20_000, interval: 10 }

let folder = ''
let terminal: RawPty
/** Every byte the terminal got, one character each. */
let seen = ''
let exit: number | null = null
let host: Socket | null = null
let said: Record<string, unknown>[] = []
let server: ReturnType<typeof createServer>

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	seen = ''
	exit = null
	said = []
	server = createServer((socket) => {
		host = socket
		createInterface(socket).on('line', (line) => said.push(JSON.parse(line)))
	})
	const path = join(folder, 's')
	await new Promise<void>((resolve) => server.listen(path, resolve))
	const program = [process.execPath, join(here, '_program.ts')]
	const command = [process.execPath, join(here, '_host.ts'), path, ...program]
	// As at a shell's prompt: a job of its own that can be stopped and gone on with.
	const shell = `set -m; "$@"; code=$?
		while [ $code = 148 ]; do echo "[stopped]"; read -r line; fg >/dev/null; code=$?; done
		echo "[over $code]"; stty -a`
	terminal = spawn('/bin/sh', ['-c', shell, 'sh', ...command], {
		cols: 80,
		rows: 24,
		env: { ...process.env, TERM: 'xterm-256color', NODE_OPTIONS: '--no-warnings' },
		encoding: null,
	})
	terminal.onData((data: unknown) => {
		seen += Buffer.isBuffer(data) ? data.toString('latin1') : ''
	})
	terminal.onExit(({ exitCode }) => {
		exit = exitCode
	})
	await shows('ready')
	await vi.waitFor(() => expect(said.length).toBe(1), limit)
})

afterEach(async () => {
	for (const pid of [id('agent'), id('host'), terminal.pid]) {
		if (isAlive(pid)) process.kill(pid, 'SIGKILL')
	}
	await vi.waitFor(() => expect(exit).not.toBeNull(), limit)
	await new Promise((resolve) => server.close(resolve))
	await rm(folder, { recursive: true, force: true })
})

function id(of: 'agent' | 'host'): number {
	return Number(said[0]?.[of])
}

async function shows(text: string): Promise<void> {
	await vi.waitFor(() => expect(seen).toContain(text), limit)
}

function press(bytes: string): void {
	terminal.write(Buffer.from(bytes, 'latin1'))
}

/** What the program has read. */
function keys(): string {
	const hex = [...seen.matchAll(/<([0-9a-f]+)>/g)].map(([, part]) => part).join('')
	return Buffer.from(hex, 'hex').toString('latin1')
}

/** Has the host type keys where the cursor's row holds a text. */
async function type(keys: string, wanted: string, more: object = {}): Promise<unknown> {
	const before = said.length
	host?.write(`${JSON.stringify({ keys, wanted, ...more })}\n`)
	await vi.waitFor(() => expect(said.length).toBeGreaterThan(before), limit)
	return said[before]?.typed
}

describe.skipIf(process.platform === 'win32')('a program in the pseudo-terminal', () => {
	it('has the size of the terminal, and hears of a new one', async () => {
		await shows('ready 80x24')
		terminal.resize(101, 33)
		await shows('size 101x33')
	})

	it('gets every key as it is, and what it writes arrives as it is', async () => {
		const keys =
			'\u0003\u0004\u0011\u0013\u001B[200~a\nb\u001B[201~\u001B[<0;3;4M\u001B[M !\u00C9\u00FF\u007F\r\u0000\t'
		press(keys)
		await vi.waitFor(
			() =>
				expect([...seen.matchAll(/<([0-9a-f]+)>/g)].map(([, hex]) => hex).join('')).toBe(
					Buffer.from(keys, 'latin1').toString('hex'),
				),
			limit,
		)
		// A line feed would be changed by the program's own terminal.
		const bytes = Buffer.from(
			Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10),
		)
		const before = seen.length
		press(`say ${bytes.toString('hex')};`)
		await vi.waitFor(() => expect(seen.slice(before)).toContain('\u00FF'), limit)
		const shown = Buffer.from(seen.slice(before), 'latin1')
		expect(shown.subarray(shown.indexOf(0)).equals(bytes)).toBe(true)
		expect(seen).not.toContain('\r\r\n')
	})

	it('ends as by itself, and the terminal is as it was', async () => {
		press('say 1b5b3f3230303468;')
		await shows('\u001B[?2004h')
		press('end;')
		await shows('[over 0]')
		await vi.waitFor(() => expect(exit).toBe(0), limit)
		expect(said.at(-1)).toEqual({ code: 7, signal: null })
		const after = seen.slice(seen.lastIndexOf('[over'))
		for (const mode of ['icanon', 'echo', 'isig', 'opost', 'icrnl']) {
			expect(after).toMatch(new RegExp(`(?<!-)\\b${mode}\\b`))
		}
		expect(seen.lastIndexOf('\u001B[?2004l')).toBeGreaterThan(seen.lastIndexOf('\u001B[?2004h'))
	})

	it('leaves a line of its own to what comes after it, where it died in the middle of one', async () => {
		press(`say ${Buffer.from('> typed').toString('hex')};`)
		await shows('> typed')
		press('die;')
		await shows('[over 0]')
		expect(seen).toContain('\r\n\u001B[J[over 0]')
	})

	it('leaves no empty line where it ended its own', async () => {
		press('end;')
		await shows('[over 0]')
		expect(seen).not.toContain('\u001B[J')
	})

	it('tells which signal it died of', async () => {
		press('die;')
		await shows('[over 0]')
		expect(said.at(-1)).toEqual({ code: null, signal: 'SIGTERM' })
	})

	it('leaves the terminal as it was when its host fails', async () => {
		host?.write(`${JSON.stringify({ crash: true })}\n`)
		await shows('[over 1]')
		await vi.waitFor(() => expect(exit).toBe(0), limit)
		expect(seen.slice(seen.lastIndexOf('[over'))).toMatch(/(?<!-)\bicanon\b/)
		await vi.waitFor(() => expect(isAlive(id('agent'))).toBe(false), limit)
	})

	it('ends when its host is killed', async () => {
		process.kill(id('host'), 'SIGKILL')
		await vi.waitFor(() => expect(isAlive(id('agent'))).toBe(false), limit)
	})

	it('stops with ctrl-z, and goes on with its modes and its keys', async () => {
		press('say 1b5b3f3130303268;')
		await shows('\u001B[?1002h')
		// What it has set is known once the output was parsed.
		expect(await type('a', 'nowhere')).toBe(false)
		press('\u001A')
		await shows('[stopped]')
		expect(seen.slice(seen.lastIndexOf('\u001B[?1002h'))).toContain('\u001B[?1002l')
		const before = seen.length
		terminal.write('\r')
		await vi.waitFor(() => expect(seen.slice(before)).toContain('\u001B[?1002h'), limit)
		await vi.waitFor(() => expect(seen.slice(before)).toContain('size 80x24'), limit)
		press('q')
		await vi.waitFor(() => expect(seen.slice(before)).toContain('<71>'), limit)
	})

	it('takes keys of ours only where the screen asks for them', async () => {
		press(`say ${Buffer.from('\r\nSure? ').toString('hex')};`)
		await shows('Sure? ')
		expect(await type('x', 'Something else?')).toBe(false)
		expect(await type('y', 'Sure?')).toBe(true)
		await shows('<79>')
		expect(await type('y', 'Sure?')).toBe(false)
		expect(seen).not.toContain('<78>')
	})

	it('gets keys that the person presses meanwhile after ours', async () => {
		press(`say ${Buffer.from('\r\nSure? ').toString('hex')};`)
		await shows('Sure? ')
		expect(await type('yes', 'Sure?', { press: '--' })).toBe(true)
		await vi.waitFor(() => expect(keys()).toBe('yes--'), limit)
	})

	it('gets none that were meant for a question which ours have answered', async () => {
		press(`say ${Buffer.from('\r\nSure? ').toString('hex')};`)
		await shows('Sure? ')
		const report = '\u001B[12;40R'
		expect(await type('yes', 'Sure?', { press: `n${report}n`, meanwhile: 'drop' })).toBe(true)
		expect(seen).toContain('\u0007')
		await vi.waitFor(() => expect(keys()).toBe(`yes${report}`), limit)
		press('q')
		await vi.waitFor(() => expect(keys()).toBe(`yes${report}q`), limit)
	})

	it('gets nothing of ours while the person types', async () => {
		press(`say ${Buffer.from('\r\nSure? ').toString('hex')};`)
		await shows('Sure? ')
		const pressing = setInterval(() => press('\u001B[M'), 50)
		try {
			await vi.waitFor(() => expect(keys()).not.toBe(''), limit)
			expect(await type('yes', '', { patienceMs: 500 })).toBe(false)
		} finally {
			clearInterval(pressing)
		}
		expect(keys()).not.toContain('y')
	})
})
