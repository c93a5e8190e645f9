/**
 * Who can read an account, by the keys that the screens show and nothing else: four real homes on one
 * backend, each with the built program in a pseudo-terminal of 80×24.
 */
import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { Hosted, Program } from '../commands/_program.ts'
import { program, timeout } from '../tools/installed.ts'
import { type Started, until } from '../tools/lab.ts'
import { Terminal } from '../tools/terminal.ts'

const enter = '\r'
const esc = '\u001B'
const backspace = '\u007F'
const codePattern = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}/

/** Whose backend it is; no device itself. */
let machine: Program
let homes: Program[]
let served: Started
let context: Context | null = null
let hosted: Hosted

beforeAll(async () => {
	machine = await Program.make()
	homes = await Promise.all([1, 2, 3, 4].map(() => Program.make()))
	served = machine.start(['serve', '--listen', `127.0.0.1:${await freePort()}`])
	await until(() => served.stdout.includes('until Ctrl-C') || served.result, served)
	for (const home of homes) {
		const { stdout: token } = await machine.run(['serve', '--join-token'])
		const { code, stderr } = await home.run(['login', '--join', '-'], {}, token)
		if (code !== 0) throw new Error(stderr)
	}
	context = (await homes[0]?.context()) ?? null
	if (!context) throw new Error('no home')
	hosted = await Hosted.start(context, 'count the reeds')
	hosted.agent.text('There are twelve reeds.')
}, timeout)
afterAll(async () => {
	await hosted?.[Symbol.asyncDispose]()
	await context?.[Symbol.asyncDispose]()
	await served?.[Symbol.asyncDispose]()
	for (const home of [...(homes ?? []), machine]) await home?.[Symbol.asyncDispose]()
}, timeout)

async function freePort(): Promise<number> {
	const probe = createServer()
	await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
	const address = probe.address()
	await new Promise((resolve) => probe.close(resolve))
	return typeof address === 'object' ? (address?.port ?? 0) : 0
}

function viewer(home: Program): Terminal {
	const { NO_COLOR: _, CI: __, ...env } = home.env
	return new Terminal({
		command: process.execPath,
		args: [program],
		env: { ...env, FORCE_COLOR: '1' },
		cwd: home.cwd,
		columns: 80,
		rows: 24,
	})
}

/** Presses a key that the key bar shows, and no other. */
async function press(terminal: Terminal, key: string, label: string): Promise<void> {
	const shown = `${key === enter ? '⏎' : key === esc ? 'esc' : key} ${label}`
	await terminal.until((text) => text.split('\n').slice(-2).join(' ').includes(shown))
	await terminal.press(key)
}

async function codeOf(terminal: Terminal): Promise<string> {
	const [code] = codePattern.exec(await terminal.until(codePattern)) ?? []
	if (!code) throw new Error('no code')
	return code
}

/** The fingerprint in the line that names it. */
const fingerprintOn = (text: string) => /fingerprint +([0-9A-Z-]{24})/.exec(text)?.[1]

/** Adds the device that waits in another terminal, from the devices on the screen and back to them. */
async function approve(on: Terminal, joining: Terminal): Promise<void> {
	const code = await codeOf(joining)
	await press(on, 'a', 'add by code')
	await on.until('The code that the new device shows:')
	// A typing error first: it is caught before anything is asked.
	await on.type(`${code.slice(0, -1)}${code.endsWith('0') ? '1' : '0'}`)
	await on.press(enter)
	await on.until('✗ The code has a wrong character, or two that are swapped')
	await on.press(backspace)
	await on.type(code.slice(-1))
	await on.press(enter)
	await on.until('Add it?')
	expect(fingerprintOn(on.text())).toBe(fingerprintOn(joining.text()))
	await on.settled()
	await press(on, 'y', 'yes, add it')
	await on.until('✓ Added.')
	await press(on, esc, 'back')
	await on.until('who can read this account')
}

/** Gives the highlighted device a name. */
async function rename(on: Terminal, name: string): Promise<void> {
	await press(on, 'r', 'rename')
	await on.type(name)
	await on.press(enter)
	await on.until(new RegExp(`^▸✓ ${name} `, 'm'))
}

/** Makes a recovery key, and gives the words as they were read off the screen. */
async function recoveryWords(on: Terminal): Promise<string[]> {
	await press(on, 'w', 'recovery key')
	const words = wordsOn(await on.until('Write these 24 words down'))
	expect(words).toHaveLength(24)
	await press(on, enter, 'I have written them down')
	for (const _ of [1, 2]) {
		const asked = /Word (\d+) of the 24:/.exec(await on.until(/Word \d+ of the 24:/))
		const place = Number(asked?.[1])
		await on.type(words[place - 1] ?? '')
		await on.press(enter)
		await on.until((text) => !text.includes(`Word ${place} of`))
	}
	await on.until('✓ The recovery key is made')
	await press(on, esc, 'back')
	return words
}

async function leave(terminal: Terminal): Promise<void> {
	await press(terminal, 'q', 'quit')
	expect(await terminal.exited).toBe(0)
}

test('pair, name, revoke and recover with the keys on the screen', {
	timeout: 2 * timeout,
}, async () => {
	const [first, second, third, fourth] = homes
	if (!first || !second || !third || !fourth) throw new Error('no homes')
	await using terminals = new AsyncDisposableStack()
	const open = (home: Program) => terminals.use(viewer(home))
	const on = open(first)
	await on.until('only 1 device')
	await press(on, 'D', 'devices')
	await on.until('The only device, and no recovery key')
	await rename(on, 'laptop')

	// Two homes show a code each, are let in, go on by themselves and read what was there before.
	const [attic, desk] = [open(second), open(third)]
	for (const [joining, name] of [
		[attic, 'attic'],
		[desk, 'desk'],
	] as const) {
		await approve(on, joining)
		await on.press('G')
		await rename(on, name)
		await joining.until('Sessions 1')
		await press(joining, enter, 'open')
		await joining.until('There are twelve reeds.')
	}
	await desk.until('3 readers, all signed')
	await press(attic, 'D', 'devices')
	await attic.until(/✓ attic +this device/)
	await press(attic, esc, 'back')
	const words = await recoveryWords(on)

	// Revoked while a session runs: planned, named, proved; it gets nothing newer, and the others miss nothing.
	await on.press('g')
	for (let moves = 0; !/^▸✓ attic/m.test(await on.settled()); moves++) {
		if (moves > 5) throw new Error(on.text())
		await on.press('j')
	}
	await press(on, 'x', 'revoke')
	await on.until('Revoking it does this:')
	await on.until('Live sessions get new keys that it is not given: 1.')
	await press(on, enter, 'type its name to revoke it')
	await on.until('Type its name, attic, to revoke it:')
	await on.type('attic')
	await on.press(enter)
	await on.until('✓ Revoked: the log says so.')
	await on.until('No live session has a key that it was given.')
	await attic.until('✗ This device was revoked by laptop.')
	hosted.agent.text('Now there are thirteen.')
	await desk.until('Now there are thirteen.')
	await desk.until('3 readers, all signed')
	expect(attic.text()).not.toContain('reeds')

	// The audit.
	await press(on, esc, 'back')
	await press(on, 'L', 'log')
	await on.until(/laptop revoked attic/)
	await press(on, esc, 'back')
	await press(on, 'm', 'access')
	await on.until(/A +laptop: /)
	await press(on, esc, 'back')
	await press(on, 'v', 'verify')
	await on.until('✓ The server lists no key that the log does not.')

	// Started again, the revoked one says so again.
	await leave(attic)
	const again = open(second)
	await again.until('✗ This device was revoked by')
	await leave(again)

	// Nothing is left but the words, and they bring back all of it.
	await hosted.finish()
	await context?.[Symbol.asyncDispose]()
	context = null
	for (const terminal of [on, desk]) {
		await terminal.press('\u0003')
		await terminal.exited
	}
	for (const home of [first, second, third]) await home[Symbol.asyncDispose]()
	const back = open(fourth)
	await codeOf(back)
	await press(back, 'w', 'recovery words')
	await back.until('The 24 words of the recovery key')
	await back.type(words.join(' '))
	await back.until('24 so far')
	expect(back.text()).not.toContain(words[0])
	await back.press(enter)
	await back.until('Sessions 1')
	await press(back, enter, 'open')
	await back.until('Now there are thirteen.')
	await back.until('There are twelve reeds.')
})

/** The words in the order of their numbers, read off the screen. */
function wordsOn(text: string): string[] {
	const words: string[] = []
	for (const [, place, word = ''] of text.matchAll(/(?<=\s)(\d{1,2}) ([a-z]{3,8})(?=\s|$)/g)) {
		words[Number(place) - 1] = word
	}
	return words.filter((word) => word !== '')
}
