import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { resolveHome } from '../../source/config/paths.ts'
import {
	changeProfiles,
	checkAnonKey,
	checkUrl,
	chosenProfile,
	enterProfile,
	homeOf,
	type Profile,
	readProfiles,
} from '../../source/config/profiles.ts'
import { temporaryFolder } from '../server/_folder.ts'

async function newHome() {
	return resolveHome({ STYRBY_HOME: await temporaryFolder() })
}

const profile = (more: Partial<Profile> = {}): Profile => ({
	id: randomUUID(),
	kind: 'supabase',
	url: 'https://example.test',
	anonKey: 'an-anon-key',
	account: randomUUID(),
	email: null,
	certificate: null,
	...more,
})

test('without a list, and after going back to it, the embedded backend is in use', async () => {
	const home = await newHome()
	expect(await readProfiles(home)).toEqual({ current: null, profiles: [] })
	expect(await chosenProfile(home, {})).toBeNull()
	const one = profile()
	await enterProfile(home, one)
	expect(await chosenProfile(home, {})).toEqual(one)
	await changeProfiles(home, ({ profiles }) => ({ current: null, profiles }))
	expect(await chosenProfile(home, {})).toBeNull()
	expect((await readProfiles(home)).profiles).toEqual([one])
	expect((await stat(join(home.data, 'profiles.json'))).mode & 0o777).toBe(0o600)
})

test('the environment names one of them, and its key counts', async () => {
	const home = await newHome()
	const first = profile({ url: 'https://one.test' })
	const second = profile({ url: 'https://two.test' })
	const third = profile({ url: 'https://two.test', email: 'a@example.test' })
	for (const one of [first, second, third]) await enterProfile(home, one)
	const at = (url: string) => ({ STYRBY_URL: url, STYRBY_ANON_KEY: 'another-key' })
	expect(await chosenProfile(home, at('https://one.test/'))).toEqual({
		...first,
		anonKey: 'another-key',
	})
	// Of two accounts at one address the current one, else the one that was used last.
	expect((await chosenProfile(home, at('https://two.test')))?.id).toBe(third.id)
	await enterProfile(home, second)
	expect((await chosenProfile(home, at('https://two.test')))?.id).toBe(second.id)
	await enterProfile(home, first)
	expect((await chosenProfile(home, at('https://two.test')))?.id).toBe(second.id)
	await expect(chosenProfile(home, at('https://three.test'))).rejects.toMatchObject({
		code: 'not_signed_in',
		exitCode: 3,
		message: expect.stringContaining('styrby-tui login'),
	})
	await expect(chosenProfile(home, { STYRBY_URL: 'https://one.test' })).rejects.toMatchObject({
		code: 'bad_environment',
		exitCode: 2,
	})
	await expect(chosenProfile(home, at('ftp://one.test'))).rejects.toMatchObject({
		code: 'bad_backend_url',
		exitCode: 2,
	})
})

test('many processes change the list at once, and none of them is lost', async () => {
	const home = await newHome()
	const all = Array.from({ length: 12 }, () => profile())
	await Promise.all(all.map((one) => enterProfile(home, one)))
	const { current, profiles } = await readProfiles(home)
	expect(profiles.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
	expect(profiles[0]?.id).toBe(current)
})

const good = profile()
test.each<[string, unknown]>([
	['cut off', '{"v":1,"current":null,"prof'],
	['a current one that is not there', { current: randomUUID(), profiles: [good] }],
	['two of one id', { current: null, profiles: [good, good] }],
	['an id that leads elsewhere', { current: null, profiles: [{ ...good, id: '../../elsewhere' }] }],
	[
		'an address without TLS',
		{ current: null, profiles: [{ ...good, url: 'http://example.test' }] },
	],
	['a key with a line break', { current: null, profiles: [{ ...good, anonKey: 'a\nb' }] }],
	['half a pin', { current: null, profiles: [{ ...good, certificate: 'AAAA' }] }],
])('a damaged list is never taken for an empty one: %s', async (_, content) => {
	const home = await newHome()
	await mkdir(home.data, { recursive: true, mode: 0o700 })
	const file = join(home.data, 'profiles.json')
	const text = typeof content === 'string' ? content : JSON.stringify({ v: 1, ...Object(content) })
	await writeFile(file, text, { mode: 0o600 })
	await expect(chosenProfile(home, {})).rejects.toMatchObject({ code: 'state_corrupt' })
	await expect(enterProfile(home, profile())).rejects.toMatchObject({ code: 'state_corrupt' })
	expect(await readFile(file, 'utf8')).toBe(text)
})

test.each([
	['https://example.test', 'https://example.test'],
	['https://example.test//', 'https://example.test'],
	['HTTPS://Example.test:443/base/', 'https://example.test/base'],
	['http://127.0.0.1:54321', 'http://127.0.0.1:54321'],
	['http://localhost:8000/', 'http://localhost:8000'],
	['http://[::1]:8000', 'http://[::1]:8000'],
])('an address: %s', (given, kept) => {
	expect(checkUrl(given)).toBe(kept)
})

test.each([
	'http://example.test',
	'http://192.168.1.2:8000',
	'http://127.0.0.1.example.test',
	'https://user:secret@example.test',
	'https://example.test/?apikey=1',
	'https://example.test/#x',
	'ws://example.test',
	'example.test',
	'',
])('no address: %s', (given) => {
	expect(() => checkUrl(given)).toThrow(expect.objectContaining({ code: 'bad_backend_url' }))
})

test('a key of a backend fits in a header', () => {
	const key = randomBytes(200).toString('base64url')
	expect(checkAnonKey(key)).toBe(key)
	for (const bad of ['', 'a b', 'ключ', 'a\r\nx: y', 'x'.repeat(9000)]) {
		expect(() => checkAnonKey(bad)).toThrow(expect.objectContaining({ code: 'bad_anon_key' }))
	}
})

test('what belongs to an account lies in a folder of its own', async () => {
	const home = await newHome()
	const one = profile()
	expect(homeOf(home, null)).toEqual(home)
	expect(homeOf(home, one)).toEqual({ ...home, data: join(home.data, 'profiles', one.id) })
})
