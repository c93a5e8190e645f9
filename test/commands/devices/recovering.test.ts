/** `devices recovery` and `devices recover`: made, tested, replaced and used, by the built program. */
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Hosted, linesOf, type Program } from '../_program.ts'
import * as shapes from '../_shapes.ts'
import { Homes, printed, refusal } from './_homes.ts'

let homes: Homes
let laptop: Program
let session: string
let words: string[]
let transcript: string

beforeAll(async () => {
	homes = await Homes.make()
	laptop = await homes.first('laptop')
	const context = await laptop.context()
	const hosted = await Hosted.start(context, 'list the reeds')
	hosted.agent.text('There are twelve reeds.')
	await hosted.finish()
	await context[Symbol.asyncDispose]()
	session = hosted.id
	transcript = (await laptop.run(['show', session, '--json'])).stdout
})
afterAll(() => homes?.[Symbol.asyncDispose]())

const list = async (home: Program) => (await home.json(shapes.devices, ['devices'])).devices

async function check(home: Program, text: string) {
	const ran = await home.run(['devices', 'recovery', '--check', '--json'], {}, text)
	return { code: ran.code, ...printed(shapes.devicesRecoveryCheck, ran.stdout) }
}

test('words are printed only where that was asked for', async () => {
	const refused = await refusal(laptop, ['devices', 'recovery'])
	expect(refused).toMatchObject({ code: 'confirmation_needed', exitCode: 2, stdout: '' })
	expect(refused.message).toContain('--yes')
	expect((await laptop.run(['devices'])).stdout).toContain('Only one device')
})

test('a recovery key is made, and is a device of the account that can read it all', async () => {
	const made = await laptop.json(shapes.devicesRecovery, ['devices', 'recovery', '--yes'])
	expect(made).toMatchObject({ replaced: [], sessions: 1, granted: 1, unreadable: 0 })
	words = made.words ?? []
	const own = (await list(laptop)).find(({ kind }) => kind === 'recovery')
	expect(own).toMatchObject({ ...made.device, state: 'active', sessions: 1 })
	const { stdout } = await laptop.run(['devices'])
	expect(stdout).toContain('recovery key: 24 words, active, can read 1 session')
	expect(stdout).not.toContain('Only one device')
	expect((await laptop.run(['devices', 'verify'])).code).toBe(0)
})

test('a second one is not made by accident', async () => {
	const refused = await refusal(laptop, ['devices', 'recovery', '--yes'])
	expect(refused).toMatchObject({ code: 'recovery_key_exists', exitCode: 1, stdout: '' })
	expect(refused.message).toContain('--replace')
	expect(refused.message).toContain('laptop')
})

test('words are tested as they are written down, and wrong ones are told by their place alone', async () => {
	const numbered = words.map((word, index) => `${index + 1}. ${word.toUpperCase()}`).join('\n')
	expect(await check(laptop, numbered)).toMatchObject({ code: 0, in_force: true, revoked_at: null })
	const swapped = [words[1], words[0], ...words.slice(2)].join(' ')
	const other = words.map((word, index) => (index === 6 ? 'xylophone' : word)).join(' ')
	for (const [text, about] of [
		[swapped, /belong together/],
		[other, /Word 7/],
		[words.slice(1).join(' '), /23/],
	] as const) {
		if (text === words.join(' ')) continue
		const refused = await refusal(laptop, ['devices', 'recovery', '--check'], text)
		expect(refused).toMatchObject({ code: 'bad_recovery_words', exitCode: 2, stdout: '' })
		expect(refused.message).toMatch(about)
		expect(refused.message).not.toContain('xylophone')
	}
	expect(await refusal(laptop, ['devices', 'recovery', '--check'])).toMatchObject({
		code: 'no_recovery_words',
		exitCode: 2,
	})
})

test('a new home reads all with the words alone', async () => {
	const home = await homes.signedIn()
	const { code, stdout, stderr } = await home.run(
		['devices', 'recover', '--name', 'new-box', '--json'],
		{},
		words.join(' '),
	)
	expect([code, stderr]).toEqual([0, ''])
	const [done] = linesOf(shapes.devicesRecover, stdout)
	expect(done).toMatchObject({
		account: homes.account,
		device: { name: 'new-box' },
		sessions: 1,
		granted: 1,
		unreadable: 0,
	})
	expect((await home.run(['show', session, '--json'])).stdout).toBe(transcript)
	const all = await list(home)
	const recovery = all.find(({ kind }) => kind === 'recovery')
	expect(all.find((one) => one.this)).toMatchObject({
		id: done?.device.id,
		added_by: recovery?.id,
		state: 'active',
	})
	// Cut off, it is finished by repeating it; so once more makes no second device.
	const again = await home.run(['devices', 'recover', '--json'], {}, words.join(' '))
	expect(printed(shapes.devicesRecover, again.stdout)).toMatchObject({
		device: { id: done?.device.id },
		granted: 0,
	})
	expect(await list(home)).toHaveLength(all.length)
})

test('replaced, the words before open nothing any more', async () => {
	const before = words
	const made = await laptop.json(shapes.devicesRecovery, [
		'devices',
		'recovery',
		'--replace',
		'--yes',
	])
	words = made.words ?? []
	expect(words).not.toEqual(before)
	expect(made.replaced).toHaveLength(1)
	expect(await check(laptop, before.join(' '))).toMatchObject({
		code: 1,
		in_force: false,
		revoked_at: expect.any(String),
	})
	expect(await check(laptop, words.join(' '))).toMatchObject({ code: 0, in_force: true })
	const home = await homes.signedIn()
	const refused = await refusal(home, ['devices', 'recover'], before.join(' '))
	expect(refused).toMatchObject({ exitCode: 3, code: 'wrong_recovery_key' })
	expect((await refusal(home, ['sessions'])).code).toBe('no_device_key')
})

test('a recovery key of another account is no key here', async () => {
	await using other = await Homes.make()
	const stranger = await other.first('stranger')
	const made = await stranger.json(shapes.devicesRecovery, ['devices', 'recovery', '--yes'])
	const foreign = (made.words ?? []).join(' ')
	expect(await check(laptop, foreign)).toMatchObject({ code: 1, in_force: false, added_at: null })
	const text = await laptop.run(['devices', 'recovery', '--check'], {}, foreign)
	expect(text.stdout).toBe('These words are no recovery key of this account.\n')
	const home = await homes.signedIn()
	expect(await refusal(home, ['devices', 'recover'], foreign)).toMatchObject({
		exitCode: 3,
		code: 'wrong_recovery_key',
	})
})

test('after every home is gone, the words bring everything back', async () => {
	await rm(laptop.home.data, { recursive: true })
	const home = await homes.signedIn()
	const { code, stdout } = await home.run(['devices', 'recover'], {}, `${words.join('\n')}\n`)
	expect(code).toBe(0)
	expect(stdout).toContain('This is a device of the account now')
	expect((await home.run(['show', session, '--json'])).stdout).toBe(transcript)
	expect((await home.run(['devices', 'verify'])).code).toBe(0)
})
