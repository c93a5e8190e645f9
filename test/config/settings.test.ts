import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { loadSettings, saveSettings, settingsFile } from '../../source/config/settings.ts'
import { temporaryHome } from './temporary-home.ts'

const defaults = {
	project: 'plain',
	notifications: { bell: true, title: true, osc: true },
	requestTimeoutMinutes: 60,
	hookHoldSeconds: 30,
	vault: null,
	mouse: false,
	screenReader: false,
	keys: {},
}

describe('settings', () => {
	it('are the defaults without a file, and no file is made for that', async () => {
		await using at = await temporaryHome()
		expect(await loadSettings(at.home)).toEqual(defaults)
		await expect(readFile(settingsFile(at.home))).rejects.toMatchObject({ code: 'ENOENT' })
	})

	it('keep what they do not know, and write no default', async () => {
		await using at = await temporaryHome()
		await mkdir(at.home.config, { mode: 0o700 })
		const before = { later: { x: 1 }, notifications: { bell: false, flash: true } }
		await writeFile(settingsFile(at.home), `\ufeff${JSON.stringify(before)}`)
		const saved = await saveSettings(at.home, { vault: 'file', notifications: { osc: false } })
		expect(saved).toEqual({
			...defaults,
			vault: 'file',
			notifications: { bell: false, title: true, osc: false },
		})
		expect(JSON.parse(await readFile(settingsFile(at.home), 'utf8'))).toEqual({
			later: { x: 1 },
			notifications: { bell: false, flash: true, osc: false },
			vault: 'file',
		})
		expect(await loadSettings(at.home)).toEqual(saved)
	})

	it.each([
		[{ project: 'public' }, 'project'],
		[{ notifications: { bell: 'no' } }, 'notifications.bell'],
		[{ requestTimeoutMinutes: -1 }, 'requestTimeoutMinutes'],
		[{ requestTimeoutMinutes: '60' }, 'requestTimeoutMinutes'],
		[{ vault: 'memory' }, 'vault'],
		[{ mouse: 1 }, 'mouse'],
	])('name the wrong key of %j', async (content, key) => {
		await using at = await temporaryHome()
		await mkdir(at.home.config, { mode: 0o700 })
		await writeFile(settingsFile(at.home), JSON.stringify(content))
		const failed = { code: 'bad_settings', message: expect.stringContaining(`"${key}"`) }
		await expect(loadSettings(at.home)).rejects.toMatchObject(failed)
		await expect(saveSettings(at.home, { project: 'off' })).rejects.toMatchObject(failed)
	})

	it.each(['', '[]', '"x"', '{"a":1,}'])('say that %j is not a JSON object', async (content) => {
		await using at = await temporaryHome()
		await mkdir(at.home.config, { mode: 0o700 })
		await writeFile(settingsFile(at.home), content)
		await expect(loadSettings(at.home)).rejects.toMatchObject({ code: 'bad_settings' })
	})

	it('lose nothing when several are saved at once', async () => {
		await using at = await temporaryHome()
		await Promise.all([
			saveSettings(at.home, { vault: 'keychain' }),
			saveSettings(at.home, { mouse: true }),
			saveSettings(at.home, { project: 'encrypted' }),
			saveSettings(at.home, { notifications: { bell: false } }),
			saveSettings(at.home, { notifications: { title: false } }),
		])
		expect(await loadSettings(at.home)).toEqual({
			...defaults,
			project: 'encrypted',
			notifications: { bell: false, title: false, osc: true },
			vault: 'keychain',
			mouse: true,
		})
	})
})
