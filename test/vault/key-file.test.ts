import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../source/protocol/bytes.ts'
import { keyFilePath, openKeyFile } from '../../source/vault/key-file.ts'
import type { PassphraseSource } from '../../source/vault/passphrase.ts'
import { temporaryHome } from '../config/temporary-home.ts'

const good = 'a good passphrase'
const secret = encodeUtf8('the secret of this device')

function source(...answers: string[]): () => Promise<PassphraseSource> {
	let next = 0
	return async () => ({
		attempts: answers.length,
		ask: async () => answers[next++] ?? 'nothing more to say',
	})
}

describe('the key file', () => {
	it('keeps secrets for the next process, in a file of its owner, never in plain text', async () => {
		await using at = await temporaryHome()
		const path = keyFilePath(at.home)
		const vault = openKeyFile({ path, passphrase: source(good) })
		expect(await vault.get('local:a:device')).toBeNull()
		await vault.set('local:a:device', secret)
		await vault.set('local:b:device', Uint8Array.of(1))
		await vault.delete('local:b:device')
		await vault.delete('local:c:device')
		expect(await vault.get('local:a:device')).toEqual(secret)
		expect(vault).toMatchObject({ kind: 'file', detail: path })

		const next = openKeyFile({ path, passphrase: source(good) })
		expect(await next.get('local:a:device')).toEqual(secret)
		expect(await next.get('local:b:device')).toBeNull()

		expect((await stat(path)).mode & 0o777).toBe(0o600)
		const content = await readFile(path, 'utf8')
		for (const form of ['utf8', 'base64', 'hex'] as const) {
			expect(content).not.toContain(Buffer.from(secret).toString(form).replace(/=+$/, ''))
		}
		expect(content).not.toContain('local:a')
		expect(content).not.toContain(good)
	})

	it('never seals twice with one nonce', async () => {
		await using at = await temporaryHome()
		const path = keyFilePath(at.home)
		const vault = openKeyFile({ path, passphrase: source(good) })
		const nonces = new Set<string>()
		for (let n = 0; n < 5; n++) {
			await vault.set('x:y', secret)
			nonces.add(JSON.parse(await readFile(path, 'utf8')).nonce)
		}
		expect(nonces.size).toBe(5)
	})

	it('asks nothing as long as there is no file, and once for many calls', async () => {
		await using at = await temporaryHome()
		const path = keyFilePath(at.home)
		let asked = 0
		const ask = async () => {
			asked++
			return good
		}
		const passphrase = async () => ({ attempts: 1, ask })
		const vault = openKeyFile({ path, passphrase })
		expect(await vault.get('x:y')).toBeNull()
		await vault.delete('x:y')
		expect(asked).toBe(0)
		await Promise.all([vault.set('x:1', secret), vault.set('x:2', secret), vault.get('x:1')])
		expect(asked).toBe(1)
		const next = openKeyFile({ path, passphrase })
		const found = await Promise.all([next.get('x:1'), next.get('x:2'), next.get('x:3')])
		expect(found).toEqual([secret, secret, null])
		expect(asked).toBe(2)
	})

	it('allows as many wrong passphrases as the source does', async () => {
		await using at = await temporaryHome()
		const path = keyFilePath(at.home)
		await openKeyFile({ path, passphrase: source(good) }).set('x:y', secret)
		const before = await readFile(path)
		const patient = openKeyFile({ path, passphrase: source('wrong one', 'wrong two', good) })
		expect(await patient.get('x:y')).toEqual(secret)
		const wrong = { code: 'wrong_passphrase', exitCode: 3 }
		const strict = openKeyFile({ path, passphrase: source('wrong one') })
		await expect(strict.get('x:y')).rejects.toMatchObject(wrong)
		await expect(
			openKeyFile({ path, passphrase: source('wrong') }).set('x:y', Uint8Array.of(1)),
		).rejects.toMatchObject(wrong)
		await expect(openKeyFile({ path, passphrase: source('wrong') }).unlock()).rejects.toMatchObject(
			wrong,
		)
		expect(await readFile(path)).toEqual(before)
	})

	it('wants a passphrase worth the name for a new file', async () => {
		await using at = await temporaryHome()
		const vault = openKeyFile({ path: keyFilePath(at.home), passphrase: source('short', '') })
		await expect(vault.set('x:y', secret)).rejects.toMatchObject({ code: 'passphrase_too_short' })
		await expect(vault.unlock()).rejects.toMatchObject({ code: 'passphrase_too_short' })
	})

	it.each([0o604, 0o640, 0o660, 0o644])('refuses to use a file of mode %o', async (mode) => {
		await using at = await temporaryHome()
		const path = keyFilePath(at.home)
		const vault = openKeyFile({ path, passphrase: source(good) })
		await vault.set('x:y', secret)
		await chmod(path, mode)
		const unsafe = { code: 'key_file_unsafe', exitCode: 4 }
		await expect(vault.get('x:y')).rejects.toMatchObject(unsafe)
		await expect(vault.set('x:y', secret)).rejects.toMatchObject(unsafe)
		await chmod(path, 0o600)
		expect(await vault.get('x:y')).toEqual(secret)
	})

	it('refuses a link, a pipe in its place and a file of another user', async ({ skip }) => {
		await using at = await temporaryHome()
		const path = keyFilePath(at.home)
		await openKeyFile({ path, passphrase: source(good) }).set('x:y', secret)
		await rename(path, `${path}.real`)
		await symlink(`${path}.real`, path)
		const vault = openKeyFile({ path, passphrase: source(good) })
		await expect(vault.get('x:y')).rejects.toMatchObject({ code: 'key_file_unsafe', exitCode: 4 })
		await rename(`${path}.real`, path)
		if (process.getuid?.() !== 0) skip('only root can give a file away')
		await chown(path, 65534, 65534)
		await expect(vault.get('x:y')).rejects.toMatchObject({ code: 'key_file_unsafe' })
	})

	it('leaves a damaged file as it is', async () => {
		await using at = await temporaryHome()
		const path = keyFilePath(at.home)
		await mkdir(at.home.data, { mode: 0o700 })
		await writeFile(path, '{"v":1', { mode: 0o600 })
		const vault = openKeyFile({ path, passphrase: source(good) })
		const corrupt = { code: 'key_file_corrupt' }
		await expect(vault.get('x:y')).rejects.toMatchObject(corrupt)
		await expect(vault.set('x:y', secret)).rejects.toMatchObject(corrupt)
		await expect(vault.delete('x:y')).rejects.toMatchObject(corrupt)
		expect(await readFile(path, 'utf8')).toBe('{"v":1')
	})

	it('loses nothing when several processes make and change it at once', async () => {
		await using at = await temporaryHome()
		const path = keyFilePath(at.home)
		const module = new URL('../../source/vault/key-file.ts', import.meta.url).href
		const script = `
			const { openKeyFile } = await import(${JSON.stringify(module)})
			const [path, passphrase, number] = process.argv.slice(1)
			const vault = openKeyFile({ path, passphrase: async () => ({ attempts: 1, ask: async () => passphrase }) })
			for (let n = 0; n < 5; n++) await vault.set('p:' + number + ':' + n, Uint8Array.of(Number(number), n))`
		const codes = await Promise.all(
			[1, 2, 3, 4].map(async (number) => {
				const args = ['--input-type=module', '-e', script, path, good, String(number)]
				const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
				return (await once(child, 'exit'))[0]
			}),
		)
		expect(codes).toEqual([0, 0, 0, 0])
		const vault = openKeyFile({ path, passphrase: source(good) })
		for (const number of [1, 2, 3, 4]) {
			for (let n = 0; n < 5; n++) {
				expect(await vault.get(`p:${number}:${n}`)).toEqual(Uint8Array.of(number, n))
			}
		}
	})

	it('refuses names and secrets that another vault could not keep', async () => {
		await using at = await temporaryHome()
		const path = join(at.root, 'k')
		const vault = openKeyFile({ path, passphrase: source(good) })
		for (const name of ['', 'a b', 'ü', 'x'.repeat(256), 'a\n']) {
			await expect(vault.get(name)).rejects.toMatchObject({ code: 'bad_secret_name' })
		}
		for (const size of [0, 901]) {
			const tooLarge = vault.set('x:y', new Uint8Array(size))
			await expect(tooLarge).rejects.toMatchObject({ code: 'secret_too_large' })
		}
	})
})
