/** Questions of the `devices` commands, in a real terminal. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Program } from '../commands/_program.ts'
import * as shapes from '../commands/_shapes.ts'
import { ask, Homes } from '../commands/devices/_homes.ts'
import { launcher, press } from '../tools/lab.ts'
import { Terminal } from '../tools/terminal.ts'

let homes: Homes
let laptop: Program

beforeAll(async () => {
	homes = await Homes.make()
	laptop = await homes.first('laptop')
})
afterAll(() => homes?.[Symbol.asyncDispose]())

function terminal(home: Program, args: readonly string[], columns = 100): Terminal {
	const screen = new Terminal({
		command: process.execPath,
		args: [launcher, ...args],
		env: home.env,
		cwd: home.cwd,
		columns,
		rows: 50,
	})
	onTestFinished(() => screen[Symbol.asyncDispose]())
	return screen
}

const list = async (home = laptop) => (await home.json(shapes.devices, ['devices'])).devices
const recoveryKeys = async () =>
	(await list()).filter(({ kind, state }) => kind === 'recovery' && state === 'active').length

/** The words on the screen, in their order. */
const wordsOn = (text: string) =>
	[...text.matchAll(/\b(\d+)\. ([a-z]+)/g)]
		.sort((a, b) => Number(a[1]) - Number(b[1]))
		.map(([, , word]) => word ?? '')

test('add waits, says for how long, and takes its request back with Ctrl-C', async () => {
	const home = await homes.signedIn()
	const screen = terminal(home, ['devices', 'add'])
	const text = await screen.until(/waiting to be approved: [0-9]:[0-9]{2} left/)
	const code = /devices approve (\S+)/.exec(text)?.[1] ?? ''
	await screen.press(press.ctrlC)
	expect(await screen.exited).toBe(130)
	expect(screen.text()).toContain('Interrupted: the request was taken back')
	const { code: exitCode, stderr } = await laptop.run(['devices', 'approve', code, '--yes'])
	expect(exitCode).toBe(1)
	expect(stderr).toContain('No device waits under this code')
})

test.each([
	['return', press.enter, 1, 'nothing was approved'],
	['n', 'n\r', 1, 'nothing was approved'],
	['Ctrl-C', press.ctrlC, 130, 'Interrupted: nothing was approved'],
])(
	'approve shows who asks; %s lets nobody in, and y does afterwards',
	async (_, keys, code, words) => {
		const home = await homes.signedIn()
		await using asking = await ask(home, ['--name', 'build-box'])
		const before = (await list()).length
		const screen = terminal(laptop, ['devices', 'approve', asking.code])
		const shown = await screen.until('Let this device in? [y/N]')
		expect(shown).toMatch(/name +build-box/)
		expect(shown).toContain(asking.fingerprint)
		expect(shown).toMatch(/will get +the keys of all that this device can read/)
		await screen.type(keys)
		expect(await screen.exited).toBe(code)
		expect(screen.text()).toContain(words)
		expect(await list()).toHaveLength(before)
		expect(asking.started.result).toBeNull()
		const again = terminal(laptop, ['devices', 'approve', asking.code])
		await again.until('Let this device in? [y/N]')
		await again.type('y\r')
		expect(await again.exited).toBe(0)
		expect(again.text()).toContain('build-box is a device of this account now.')
		expect((await asking.started.done).code).toBe(0)
		await laptop.run(['devices', 'revoke', 'build-box', '--yes'])
	},
)

test('revoke is confirmed by typing the name, and by nothing else', async () => {
	await homes.paired('phone', laptop)
	const args = ['devices', 'revoke', 'phone', '--reason', 'lost']
	for (const [keys, code, words] of [
		['y\r', 1, 'nothing was revoked'],
		[press.enter, 1, 'nothing was revoked'],
		[press.ctrlC, 130, 'Interrupted: nothing was revoked'],
	] as const) {
		const screen = terminal(laptop, args)
		const shown = await screen.until('Type phone to revoke it:')
		expect(shown).toContain('Revoking phone')
		await screen.type(keys)
		expect(await screen.exited).toBe(code)
		expect(screen.text()).toContain(words)
	}
	expect((await list()).find(({ name }) => name === 'phone')?.state).toBe('active')
	const screen = terminal(laptop, args)
	await screen.until('Type phone to revoke it:')
	await screen.type('phone\r')
	expect(await screen.exited).toBe(0)
	expect(screen.text()).toMatch(/✓ phone is revoked: entry \d+ of the device log.*lost/)
	expect(screen.text()).toContain('✓ none of the keys in use was given to it')
	expect((await list()).find(({ name }) => name === 'phone')?.state).toBe('revoked')
})

test('a recovery key is made only after two of its words were typed', async () => {
	const stopped = terminal(laptop, ['devices', 'recovery'])
	await stopped.until('Press return when they are written down')
	expect(stopped.modes.alternate).toBe(true)
	await stopped.press(press.ctrlC)
	expect(await stopped.exited).toBe(130)
	expect(stopped.modes).toMatchObject({ alternate: false, cursor: true })
	expect(stopped.text()).toContain('no recovery key was made')
	expect(await recoveryKeys()).toBe(0)

	const screen = terminal(laptop, ['devices', 'recovery'])
	const words = wordsOn(await screen.until('Press return when they are written down'))
	expect(words).toHaveLength(24)
	await screen.type(press.enter)
	await screen.until(/Word \d+: *$/m)
	expect(screen.modes.alternate).toBe(false)
	// Gone from the screen, and from what can be scrolled back to.
	expect(wordsOn(screen.text())).toEqual([])
	await screen.type('zebra-crossing\r')
	await screen.until('That is not the word')
	expect(await recoveryKeys()).toBe(0)
	await screen.type(press.enter)
	expect(wordsOn(await screen.until('Press return when they are written down'))).toEqual(words)
	await screen.type(press.enter)
	const asked = async (before: number) => {
		const found = (text: string) => [...text.matchAll(/^Word (\d+): *$/gm)].at(-1)
		const text = await screen.until((now) => {
			const last = found(now)
			return last !== undefined && Number(last[1]) !== before
		})
		return Number(found(text)?.[1])
	}
	const first = await asked(0)
	await screen.type(`${words[first - 1]?.toUpperCase()}\r`)
	await screen.type(`${words[(await asked(first)) - 1]}\r`)
	await screen.until('The recovery key is registered')
	expect(await screen.exited).toBe(0)
	expect(await recoveryKeys()).toBe(1)

	// Tested, and used, without a word being shown.
	const check = terminal(laptop, ['devices', 'recovery', '--check'])
	await check.until('The 24 words of the recovery key (not shown):')
	await check.type(`${words.slice(0, 23).join(' ')}\r`)
	await check.until('these are 23')
	await check.type(`${words.join(' ')}\r`)
	await check.until('These words are the recovery key of this account')
	expect(await check.exited).toBe(0)
	// A word alone may be part of one of ours.
	expect(check.written).not.toContain(words.slice(4, 6).join(' '))
	const home = await homes.signedIn()
	const recover = terminal(home, ['devices', 'recover', '--name', 'new-box'])
	await recover.until('The 24 words of the recovery key (not shown):')
	await recover.type(`${words.join(' ')}\r`)
	await recover.until('This is a device of the account now: new-box')
	expect(await recover.exited).toBe(0)
	expect(recover.written).not.toContain(words.slice(4, 6).join(' '))
	expect((await list(home)).find((one) => one.this)?.name).toBe('new-box')
})

test.each([[['devices']], [['devices', 'log']], [['devices', 'verify']], [['devices', '--help']]])(
	'%j fits a narrow terminal',
	async (args) => {
		const screen = terminal(laptop, args, 60)
		expect(await screen.exited).toBe(0)
		const lines = screen.written.split('\r\n')
		expect(lines.length).toBeGreaterThan(2)
		// Only an id or a fingerprint, to be copied whole, may stand out.
		const long = lines.filter((line) => line.length > 60 && !/\S{20,}/.test(line))
		expect(long).toEqual([])
	},
)
