import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadSettings, settingsFile } from '../../source/config/settings.ts'
import { openVault } from '../../source/vault/choose.ts'
import { keyFilePath } from '../../source/vault/key-file.ts'
import { memoryVault } from '../../source/vault/memory.ts'
import { probeKeychain } from '../../source/vault/probe-keychain.ts'
import { temporaryHome } from '../config/temporary-home.ts'

const onLinux = process.platform === 'linux'

/** A session without a D-Bus: on Linux there is no keychain in it. */
async function bareHome() {
	const at = await temporaryHome()
	const passphraseFile = join(at.root, 'passphrase')
	await writeFile(passphraseFile, 'a good passphrase\n')
	const env = {
		PATH: process.env.PATH,
		HOME: at.root,
		DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(at.root, 'no-bus')}`,
	}
	return { ...at, env, withPassphrase: { ...env, STYRBY_PASSPHRASE_FILE: passphraseFile } }
}

describe.runIf(onLinux)('openVault on a box without a keychain', () => {
	it('fails without a terminal, and names what to give', async () => {
		await using at = await bareHome()
		const settings = await loadSettings(at.home)
		const error = openVault({ home: at.home, env: at.env, settings, interactive: false })
		await expect(error).rejects.toMatchObject({
			code: 'no_vault',
			exitCode: 3,
			message: expect.stringMatching(/STYRBY_VAULT=file and STYRBY_PASSPHRASE_FILE=/),
		})
		await expect(readFile(settingsFile(at.home))).rejects.toMatchObject({ code: 'ENOENT' })
	})

	it('makes a key file where a passphrase is laid out, and finds it again', async () => {
		await using at = await bareHome()
		const settings = await loadSettings(at.home)
		const options = { home: at.home, env: at.withPassphrase, settings, interactive: false }
		const vault = await openVault(options)
		await vault.set('x:y', Uint8Array.of(7))
		expect(vault).toMatchObject({ kind: 'file', detail: keyFilePath(at.home) })
		const again = await openVault(options)
		expect(await again.get('x:y')).toEqual(Uint8Array.of(7))
		const locked = openVault({ ...options, env: at.env })
		await expect(locked).rejects.toMatchObject({ code: 'no_passphrase', exitCode: 3 })
	})

	it('can leave the key file locked until it is needed', async () => {
		await using at = await bareHome()
		const settings = { ...(await loadSettings(at.home)), vault: 'file' as const }
		const options = { home: at.home, env: at.env, settings, interactive: false, unlock: false }
		const vault = await openVault(options)
		expect(await vault.get('x:y')).toBeNull()
		await expect(vault.set('x:y', Uint8Array.of(7))).rejects.toMatchObject({
			code: 'no_passphrase',
		})
	})

	it('does what STYRBY_VAULT says, whatever was chosen before', async () => {
		await using at = await bareHome()
		const settings = { ...(await loadSettings(at.home)), vault: 'file' as const }
		const base = { home: at.home, settings, interactive: false }
		const keychain = await openVault({ ...base, env: { ...at.env, STYRBY_VAULT: 'keychain' } })
		expect(keychain.kind).toBe('keychain')
		const unavailable = { code: 'keychain_unavailable', exitCode: 3 }
		await expect(keychain.get('x:y')).rejects.toMatchObject(unavailable)
		await expect(keychain.set('x:y', Uint8Array.of(1))).rejects.toMatchObject(unavailable)
		await expect(keychain.delete('x:y')).rejects.toMatchObject(unavailable)

		const file = { ...at.withPassphrase, STYRBY_VAULT: 'file' }
		const other = { ...base, settings: { ...settings, vault: 'keychain' as const } }
		expect((await openVault({ ...other, env: file })).kind).toBe('file')
		const wrong = openVault({ ...base, env: { ...at.env, STYRBY_VAULT: 'cloud' } })
		await expect(wrong).rejects.toMatchObject({ code: 'bad_vault', exitCode: 2 })
	})

	it('never falls back to the keyring of the kernel, which forgets', async () => {
		await using at = await bareHome()
		const vault = await openVault({
			home: at.home,
			env: { ...at.env, STYRBY_VAULT: 'keychain' },
			settings: await loadSettings(at.home),
			interactive: false,
		})
		const name = `never:${at.root.split('-').pop()}`
		await expect(vault.set(name, Uint8Array.of(1))).rejects.toThrow()
		expect(await readFile('/proc/keys', 'utf8').catch(() => '')).not.toContain(name)
	})

	it('refuses a damaged key file instead of making another', async () => {
		await using at = await bareHome()
		await mkdir(at.home.data, { mode: 0o700 })
		await writeFile(keyFilePath(at.home), 'x', { mode: 0o600 })
		const settings = await loadSettings(at.home)
		const options = { home: at.home, env: at.withPassphrase, settings, interactive: false }
		await expect(openVault(options)).rejects.toMatchObject({ code: 'key_file_corrupt' })
	})

	it('says why there is no keychain, and how to get one', async () => {
		await using at = await bareHome()
		const probe = await probeKeychain({ env: at.env })
		expect(probe).toMatchObject({
			backend: 'Secret Service',
			error: { code: 'keychain_unavailable', exitCode: 3 },
		})
		expect(probe.error?.message).toContain('nothing answers at DBUS_SESSION_BUS_ADDRESS')
		expect(probe.mend.join('\n')).toMatch(
			/apt-get install dbus gnome-keyring.*\n.*dbus-run-session/,
		)
	})
})

describe('memoryVault', () => {
	it('keeps copies, until deleted', async () => {
		const vault = memoryVault()
		const secret = Uint8Array.of(1, 2)
		await vault.set('x:y', secret)
		secret.fill(0)
		const found = await vault.get('x:y')
		expect(found).toEqual(Uint8Array.of(1, 2))
		found?.fill(9)
		expect(await vault.get('x:y')).toEqual(Uint8Array.of(1, 2))
		await vault.delete('x:y')
		await vault.delete('x:y')
		expect(await vault.get('x:y')).toBeNull()
		expect(await memoryVault().get('x:y')).toBeNull()
	})
})
