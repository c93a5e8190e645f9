/** The parts behind `serve --listen`: secrets, guesses, the certificate, what others call this machine. */
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Attempts } from '../../source/server/attempts.ts'
import { JoinSecrets } from '../../source/server/join-secrets.ts'
import {
	ensureTls,
	type ListenOptions,
	networkAddress,
} from '../../source/server/network-address.ts'
import { selfSigned } from '../../source/server/self-signed.ts'
import { temporaryFolder } from './_folder.ts'

const minute = 60_000

describe('a secret to join with', () => {
	test('works once, within ten minutes, and beside others', () => {
		let now = 1_000_000
		const secrets = new JoinSecrets(() => now)
		const [one, two] = [secrets.issue(), secrets.issue()]
		expect(one.secret).toMatch(/^[\w-]{43}$/)
		expect(one.expiresAt).toBe(now + 10 * minute)
		expect(secrets.take('')).toBe(false)
		expect(secrets.take(two.secret)).toBe(true)
		expect(secrets.take(two.secret)).toBe(false)
		now += 10 * minute - 1
		const three = secrets.issue()
		expect(secrets.take(one.secret)).toBe(true)
		now += 10 * minute
		expect(secrets.take(three.secret)).toBe(false)
		now -= 10 * minute
		expect(secrets.take(three.secret)).toBe(false)
	})

	test('tells who shows them that it was used, and nobody of one that was not', async () => {
		const secrets = new JoinSecrets(Date.now)
		let used = 0
		secrets.onUsed = () => used++
		const { secret } = secrets.issue()
		secrets.take('another')
		await Promise.resolve()
		expect(used).toBe(0)
		secrets.take(secret)
		await Promise.resolve()
		expect(used).toBe(1)
	})

	test('is one of a few at most', () => {
		const secrets = new JoinSecrets(Date.now)
		const all = Array.from({ length: 20 }, () => secrets.issue().secret)
		expect(all.map((secret) => secrets.take(secret)).filter(Boolean)).toHaveLength(16)
		expect(secrets.take(all.at(-1) ?? '')).toBe(false)
	})
})

describe('wrong guesses', () => {
	const limits = { perAddress: 3, overall: 5, windowMs: 10 * minute }

	test('lock their address out for a while, and right ones do not count', () => {
		let now = 0
		const attempts = new Attempts(() => now, limits)
		for (let guess = 0; guess < 3; guess++) {
			expect(attempts.refuses('192.0.2.1')).toBe(false)
			attempts.begin('192.0.2.1')
		}
		expect(attempts.refuses('192.0.2.1')).toBe(true)
		expect(attempts.refuses('::ffff:192.0.2.1')).toBe(true)
		for (let guess = 0; guess < 10; guess++) {
			expect(attempts.refuses('192.0.2.2')).toBe(false)
			attempts.begin('192.0.2.2')
			attempts.right('192.0.2.2')
		}
		now += 10 * minute
		expect(attempts.refuses('192.0.2.1')).toBe(false)
	})

	test('from everywhere lock everybody out', () => {
		const attempts = new Attempts(() => 0, limits)
		for (let last = 1; last <= 5; last++) attempts.begin(`192.0.2.${last}`)
		expect(attempts.refuses('192.0.2.99')).toBe(true)
	})

	test.each([
		['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', true],
		['2001:db8:0:1::1', '2001:db8:0:2::1', false],
		['2001:db8::1', '2001:db8:0:0:5::', true],
		['::1', '::2', true],
	])('%s and %s are one network: %s', (one, other, same) => {
		const attempts = new Attempts(() => 0, limits)
		for (let guess = 0; guess < 3; guess++) attempts.begin(one)
		expect(attempts.refuses(other)).toBe(same)
	})
})

describe('the certificate', () => {
	test('is a proper one, signed by its own key', () => {
		const { certificate, key } = selfSigned()
		const parsed = new X509Certificate(certificate)
		expect(parsed.verify(parsed.publicKey)).toBe(true)
		expect(parsed.checkIssued(parsed)).toBe(true)
		expect(parsed.subject).toBe('CN=styrby-tui')
		expect(new Date(parsed.validTo).getUTCFullYear()).toBe(9999)
		expect(key).toContain('BEGIN PRIVATE KEY')
		const others = Array.from({ length: 50 }, () => new X509Certificate(selfSigned().certificate))
		expect(new Set(others.map(({ serialNumber }) => serialNumber)).size).toBe(50)
		for (const other of others) expect(other.verify(other.publicKey)).toBe(true)
	})

	test('is made once a folder, for its owner alone to read', async () => {
		const folder = await temporaryFolder()
		const made = await ensureTls(folder)
		expect(await ensureTls(folder)).toEqual(made)
		expect((await stat(join(folder, 'tls.json'))).mode & 0o777).toBe(0o600)
	})
})

describe('the address for others', () => {
	const tls = (name: string) =>
		readFile(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8')
	const listen = (more: Partial<ListenOptions> = {}): ListenOptions => ({
		host: '192.0.2.5',
		port: 4815,
		name: null,
		tls: null,
		...more,
	})

	test('is what is listened to, with the pin of our own certificate', async () => {
		const folder = await temporaryFolder()
		const address = await networkAddress(folder, listen())
		const { fingerprint256 } = new X509Certificate(address.tls.certificate)
		expect(Buffer.from(address.pin ?? '', 'base64').toString('hex')).toBe(
			fingerprint256.replaceAll(':', '').toLowerCase(),
		)
		expect(address.urls).toEqual(['https://192.0.2.5:4815'])
		const six = await networkAddress(folder, listen({ host: '2001:db8::1' }))
		expect(six.urls).toEqual(['https://[2001:db8::1]:4815'])
		expect(six.names).toContain('[2001:db8::1]')
		expect(six.pin).toBe(address.pin)
		const named = await networkAddress(folder, listen({ name: 'Box.example.test' }))
		expect(named.urls).toEqual(['https://box.example.test:4815'])
	})

	test('of all addresses is none of those that only this machine has', async () => {
		const { urls } = await networkAddress(await temporaryFolder(), listen({ host: '0.0.0.0' }))
		for (const url of urls) expect(url).not.toMatch(/127\.|0\.0\.0\.0|169\.254/)
	})

	test('with a certificate of an authority is a name in it, without a pin', async () => {
		const own = { certificate: await tls('certificate.pem'), key: await tls('key.pem') }
		const folder = await temporaryFolder()
		const address = await networkAddress(folder, listen({ tls: own }))
		expect(address.pin).toBeNull()
		expect(address.urls).toEqual(['https://localhost:4815', 'https://127.0.0.1:4815'])
		const fitting = await networkAddress(folder, listen({ tls: own, host: '127.0.0.1' }))
		expect(fitting.urls).toEqual(['https://127.0.0.1:4815'])
	})

	test('with a certificate and a key that do not belong together there is none', async () => {
		const folder = await temporaryFolder()
		const certificate = await tls('certificate.pem')
		for (const key of [selfSigned().key, 'nonsense', '']) {
			const refused = networkAddress(folder, listen({ tls: { certificate, key } }))
			await expect(refused).rejects.toMatchObject({ code: 'bad_certificate', exitCode: 2 })
		}
	})
})
