import { spawnSync } from 'node:child_process'
import { chmod, chown, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { homeError } from '../../source/config/home-error.ts'
import { ensureFolder, resolveHome } from '../../source/config/paths.ts'
import { temporaryHome } from './temporary-home.ts'

describe('resolveHome', () => {
	it('puts everything under STYRBY_HOME', () => {
		const home = resolveHome({ STYRBY_HOME: '/x/y', XDG_CONFIG_HOME: '/z' }, 'linux', '/home/a')
		expect(home).toEqual({
			config: '/x/y/config',
			data: '/x/y/data',
			run: '/x/y/run',
			log: '/x/y/log',
			cache: '/x/y/cache',
		})
	})

	it('makes a relative STYRBY_HOME absolute', () => {
		expect(resolveHome({ STYRBY_HOME: 'h' }, 'linux').data).toBe(join(process.cwd(), 'h', 'data'))
	})

	it('uses the XDG folders, and their defaults where they are unset, empty or relative', () => {
		const home = resolveHome(
			{ XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: 'relative', XDG_CACHE_HOME: '' },
			'linux',
			'/home/a',
		)
		expect(home).toEqual({
			config: '/c/styrby-tui',
			data: '/home/a/.local/share/styrby-tui',
			run: '/home/a/.local/state/styrby-tui/run',
			log: '/home/a/.local/state/styrby-tui/log',
			cache: '/home/a/.cache/styrby-tui',
		})
	})

	it('keeps the run folder when the login session ends', () => {
		const inside = resolveHome({ XDG_RUNTIME_DIR: '/run/user/1000' }, 'linux', '/home/a')
		expect(inside).toEqual(resolveHome({}, 'linux', '/home/a'))
	})

	it('uses the Library on macOS and LOCALAPPDATA on Windows', () => {
		expect(resolveHome({}, 'darwin', '/Users/a').data).toBe(
			'/Users/a/Library/Application Support/styrby-tui',
		)
		const env = { LOCALAPPDATA: 'D:\\Local' }
		expect(resolveHome(env, 'win32', 'C:\\Users\\a').data).toBe('D:\\Local\\styrby-tui\\Data')
		expect(resolveHome({}, 'win32', 'C:\\Users\\a').config).toBe(
			'C:\\Users\\a\\AppData\\Local\\styrby-tui\\Config',
		)
	})

	it('gives five different folders everywhere', () => {
		for (const platform of ['linux', 'darwin', 'win32'] as const) {
			expect(new Set(Object.values(resolveHome({}, platform, '/home/a'))).size).toBe(5)
		}
	})
})

describe('ensureFolder', () => {
	it('makes folders that only their owner can open', async () => {
		await using at = await temporaryHome()
		const folder = join(at.root, 'a', 'b')
		await ensureFolder(folder)
		await ensureFolder(folder)
		for (const path of [folder, join(at.root, 'a')]) {
			expect((await stat(path)).mode & 0o777).toBe(0o700)
		}
	})

	it.each([0o777, 0o770, 0o722])('refuses a folder of mode %o', async (mode) => {
		await using at = await temporaryHome()
		const folder = join(at.root, 'open')
		await mkdir(folder)
		await chmod(folder, mode)
		await expect(ensureFolder(folder)).rejects.toMatchObject({ code: 'unsafe_folder', exitCode: 4 })
	})

	it('refuses a folder of another user', async ({ skip }) => {
		if (process.getuid?.() !== 0) skip('only root can make one')
		await using at = await temporaryHome()
		const folder = join(at.root, 'theirs')
		await mkdir(folder, { mode: 0o700 })
		await chown(folder, 65534, 65534)
		await expect(ensureFolder(folder)).rejects.toMatchObject({ code: 'unsafe_folder' })
	})

	it('says that a file is in the way, also further up', async () => {
		await using at = await temporaryHome()
		const file = join(at.root, 'file')
		await writeFile(file, 'kept')
		await expect(ensureFolder(file)).rejects.toMatchObject({ code: 'home_failed' })
		await expect(ensureFolder(join(file, 'below'))).rejects.toMatchObject({ code: 'home_failed' })
		expect(await readFile(file, 'utf8')).toBe('kept')
	})

	it('follows a link to a folder of ours, as dotfile collections have them', async () => {
		await using at = await temporaryHome()
		await mkdir(join(at.root, 'real'), { mode: 0o700 })
		await symlink(join(at.root, 'real'), join(at.root, 'link'))
		await ensureFolder(join(at.root, 'link'))
	})

	it('says in one sentence that a home is read-only', async () => {
		await using at = await temporaryHome()
		// Root may write anywhere, so a process of another user tries.
		const ids = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
		const folder = join(at.root, 'locked')
		await mkdir(folder)
		if (ids.uid) await chown(folder, ids.uid, ids.gid)
		await chmod(at.root, 0o755)
		await chmod(folder, 0o555)
		const module = new URL('../../source/config/paths.ts', import.meta.url).href
		for (const path of [folder, join(folder, 'below')]) {
			const script = `
				const { ensureFolder } = await import(${JSON.stringify(module)})
				await ensureFolder(process.argv[1]).then(() => console.log('fine'), (e) => console.log(e.code, e.message))`
			const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], {
				...ids,
				encoding: 'utf8',
				cwd: '/',
			})
			expect(stdout).toBe(
				`home_not_writable ${path} can not be written: make it writable, or set STYRBY_HOME to a folder that is.\n`,
			)
		}
	})
})

describe('homeError', () => {
	it.skipIf(process.platform !== 'linux')('knows a full disk', async () => {
		const cause = await writeFile('/dev/full', 'x').catch((error: unknown) => error)
		expect(homeError(cause, '/x')).toMatchObject({ code: 'disk_full', exitCode: 1 })
	})

	it('hands on what is explained already', () => {
		const error = homeError(new Error('odd'), '/x')
		expect(error.code).toBe('home_failed')
		expect(homeError(error, '/y')).toBe(error)
	})
})
