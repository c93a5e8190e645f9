/**
 * Who can read an account, by the keys that the screens show and nothing else: three real homes on one
 * backend, each with the built program in a pseudo-terminal of 80×24.
 */
import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { Hosted, Program } from '../commands/_program.ts'
import * as shapes from '../commands/_shapes.ts'
import { program, timeout } from '../tools/installed.ts'
import { type Started, until } from '../tools/lab.ts'
import { Terminal } from '../tools/terminal.ts'

const enter = '\r'
const esc = '\u001B'
const codePattern = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}/

let first: Program
let second: Program
let third: Program
let served: Started
let context: Context
let hosted: Hosted

beforeAll(async () => {
	first = await Program.make()
	second = await Program.make()
	third = await Program.make()
	await first.json(shapes.sessions, ['sessions'])
	served = first.start(['serve', '--listen', `127.0.0.1:${await freePort()}`])
	await until(() => served.stdout.includes('until Ctrl-C') || served.result, served)
	for (const home of [second, third]) {
		const { stdout: token } = await first.run(['serve', '--join-token'])
		const { code, stderr } = await home.run(['login', '--join', '-'], {}, token)
		if (code !== 0) throw new Error(stderr)
	}
	context = await first.context()
	hosted = await Hosted.start(context, 'count the reeds')
	hosted.agent.text('There are twelve reeds.')
}, timeout)
afterAll(async () => {
	await hosted?.[Symbol.asyncDispose]()
	await context?.[Symbol.asyncDispose]()
	await served?.[Symbol.asyncDispose]()
	for (const home of [third, second, first]) await home?.[Symbol.asyncDispose]()
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

test('pair, name, revoke and recover with the keys on the screen', { timeout }, async () => {
	await using on = viewer(first)
	await on.until('only 1 device')
	let joining = viewer(second)
	await using _joining = { [Symbol.asyncDispose]: () => joining[Symbol.asyncDispose]() }

	// The new home shows a code; the registered one is told it, with an error first.
	const code = await codeOf(joining)
	await press(on, 'D', 'devices')
	await on.until('The only device, and no recovery key')
	await press(on, 'a', 'add by code')
	await on.until('The code that the new device shows:')
	await on.type(`${code.slice(0, -1)}${code.endsWith('0') ? '1' : '0'}`)
	await on.press(enter)
	await on.until('✗ The code has a wrong character, or two that are swapped')
	await on.press('\u007F')
	await on.type(code.slice(-1))
	await on.press(enter)
	await on.until('Add it?')
	expect(fingerprintOn(on.text())).toBe(fingerprintOn(joining.text()))
	await on.settled()
	await press(on, 'y', 'yes, add it')
	await on.until('✓ Added.')
	await press(on, esc, 'back')

	// It goes on by itself, and reads what was there before.
	await joining.until('Sessions 1')
	await press(joining, enter, 'open')
	await joining.until('There are twelve reeds.')
	await joining.until('2 readers, all signed')

	// Named on one device, they are called so on the other.
	await on.until(/^▸✓ .* this device/m)
	await press(on, 'r', 'rename')
	await on.type('laptop')
	await on.press(enter)
	await on.until(/^▸✓ laptop +this device/m)
	await on.press('j')
	await on.until(/^▸✓ (?!.* this device)/m)
	await press(on, 'r', 'rename')
	await on.type('attic')
	await on.press(enter)
	await on.until(/^▸✓ attic/m)
	await press(joining, 'D', 'devices')
	await joining.until(/✓ attic +this device/)
	await press(joining, esc, 'back')

	// A recovery key: 24 words, of which two are asked for.
	await press(on, 'w', 'recovery key')
	const words = wordsOn(await on.until('24 words'))
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
	await on.until('recovery key')

	// Revoked, while a session runs: planned, named, proved.
	await on.until(/^▸✓ attic/m)
	await press(on, 'x', 'revoke')
	await on.until('Revoking it does this:')
	await on.until('Live sessions get new keys that it is not given: 1.')
	await press(on, enter, 'type its name to revoke it')
	await on.until('Type its name, attic, to revoke it:')
	await on.type('attic')
	await on.press(enter)
	await on.until('✓ Revoked: the log says so.')
	await on.until('No live session has a key that it was given.')
	await joining.until('✗ This device was revoked by laptop.')
	hosted.agent.text('Now there are thirteen.')
	await press(on, esc, 'back')
	await press(on, 'L', 'log')
	await on.until(/laptop revoked attic/)
	await press(on, esc, 'back')
	await press(on, 'm', 'access')
	await on.until(/A +laptop: /)
	await press(on, esc, 'back')
	await press(on, 'v', 'verify')
	await on.until('✓ The server lists no key that the log does not.')
	expect(joining.text()).not.toContain('thirteen')
	await press(joining, 'q', 'quit')
	expect(await joining.exited).toBe(0)

	// Started again, it says so again, and reads nothing.
	joining = viewer(second)
	await joining.until('✗ This device was revoked by')
	await press(joining, 'q', 'quit')
	expect(await joining.exited).toBe(0)

	// A third home comes in with the words alone, and reads all of it.
	await using recovered = viewer(third)
	await codeOf(recovered)
	await press(recovered, 'w', 'recovery words')
	await recovered.until('The 24 words of the recovery key')
	await recovered.type(words.join(' '))
	await recovered.until('24 so far')
	expect(recovered.text()).not.toContain(words[0])
	await recovered.press(enter)
	await recovered.until('Sessions 1')
	await press(recovered, enter, 'open')
	await recovered.until('Now there are thirteen.')
	await recovered.until('There are twelve reeds.')
})

/** The words in the order of their numbers, read off the screen. */
function wordsOn(text: string): string[] {
	const words: string[] = []
	for (const [, place, word = ''] of text.matchAll(/(?<=\s)(\d{1,2}) ([a-z]{3,8})(?=\s|$)/g)) {
		words[Number(place) - 1] = word
	}
	return words.filter((word) => word !== '')
}
