import {
	chmod,
	lstat,
	mkdir,
	mkdtemp,
	readFile,
	rm,
	stat,
	symlink,
	writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hookedClaude } from '../../source/agents/claude/hooked.ts'
import { resolveHome } from '../../source/config/paths.ts'
import {
	hooksState,
	type InstallPlace,
	installHooks,
	removeHooksOf,
} from '../../source/host/hooks/install.ts'
import { anyInstalled } from '../../source/host/hooks/installations.ts'

let folder = ''
let file = ''
let place: InstallPlace

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "styrby-'test-"))
	file = join(folder, 'agent', 'settings.json')
	await mkdir(join(folder, 'agent'))
	const env = { STYRBY_HOME: join(folder, 'home'), CLAUDE_CONFIG_DIR: join(folder, 'agent') }
	const home = resolveHome(env, 'linux', folder)
	place = { home, env, now: () => new Date(0), times: { request: 60_000, hold: 30_000 } }
})

afterEach(async () => {
	await rm(folder, { recursive: true, force: true })
})

const install = () => installHooks(place, hookedClaude)
const remove = () => removeHooksOf(place, hookedClaude)
const state = async () => (await hooksState(place, hookedClaude))[0]

describe.skipIf(process.platform === 'win32')('installing and removing', () => {
	test('where there was no file, there is none again', async () => {
		expect(await install()).toEqual({ file, changed: true, backup: null })
		expect((await stat(file)).mode & 0o777).toBe(0o600)
		expect(await state()).toMatchObject({ installed: true, current: true, problem: null })
		expect(anyInstalled(place.home)).toBe(true)
		expect(await install()).toEqual({ file, changed: false, backup: null })
		expect(await remove()).toEqual([{ file, changed: true }])
		await expect(stat(file)).rejects.toThrow('ENOENT')
		expect(anyInstalled(place.home)).toBe(false)
		expect(await remove()).toEqual([{ file, changed: false }])
	})

	test.each([
		['tabs and comments', '{\n\t// mine\n\t"model": "x",\n}\n'],
		['a byte order mark and Windows line ends', '\ufeff{\r\n  "model": "x"\r\n}\r\n'],
		['one line', '{"model":"x"}'],
		['nothing but spaces', '  \n'],
		['nothing', ''],
	])('%s: the same bytes are there again', async (_, text) => {
		await writeFile(file, text, { mode: 0o640 })
		await chmod(file, 0o640)
		const { backup } = await install()
		expect(await readFile(backup ?? '', 'utf8')).toBe(text)
		expect((await stat(file)).mode & 0o777).toBe(0o640)
		await remove()
		expect(await readFile(file, 'utf8')).toBe(text)
		expect((await stat(file)).mode & 0o777).toBe(0o640)
		await expect(stat(backup ?? '')).rejects.toThrow('ENOENT')
	})

	test('a link stays a link, to a file or to none yet', async () => {
		const dotfile = join(folder, 'dotfile.json')
		await symlink('../dotfile.json', file)
		await install()
		expect((await lstat(file)).isSymbolicLink()).toBe(true)
		expect(await readFile(dotfile, 'utf8')).toContain('PermissionRequest')
		await remove()
		expect((await lstat(file)).isSymbolicLink()).toBe(true)
		await expect(stat(dotfile)).rejects.toThrow('ENOENT')

		await writeFile(dotfile, '{}\n')
		await install()
		expect((await lstat(file)).isSymbolicLink()).toBe(true)
		await remove()
		expect(await readFile(dotfile, 'utf8')).toBe('{}\n')
	})

	test('what others changed meanwhile stays', async () => {
		await writeFile(file, '{\n  "model": "x"\n}\n')
		await install()
		const with_ = await readFile(file, 'utf8')
		await writeFile(file, with_.replace('"x"', '"y", "more": 1'))
		await remove()
		expect(await readFile(file, 'utf8')).toBe('{\n  "model": "y", "more": 1\n}\n')
	})

	test('hooks of another version are renewed, and the first file is given back', async () => {
		await writeFile(file, '{}')
		await install()
		place.times = { request: 120_000, hold: 30_000 }
		expect(await state()).toMatchObject({ installed: true, current: false })
		expect(await install()).toMatchObject({ changed: true })
		expect(await state()).toMatchObject({ installed: true, current: true })
		await remove()
		expect(await readFile(file, 'utf8')).toBe('{}')
	})

	test('without what this home knew of it, ours are found all the same', async () => {
		await writeFile(file, '{"a":1}')
		await install()
		await rm(join(place.home.data, 'hooks'), { recursive: true })
		await install()
		await remove()
		expect(await readFile(file, 'utf8')).toBe('{"a":1}')
	})

	test.each(['{"model": ', '[]', '{"hooks": 1}', '{"hooks":{},"hooks":{}}'])(
		'a broken file is refused and left as it is: %s',
		async (text) => {
			await writeFile(file, text)
			await expect(install()).rejects.toMatchObject({ code: 'hooks_file_unusable' })
			expect(await readFile(file, 'utf8')).toBe(text)
			expect(anyInstalled(place.home)).toBe(false)
			expect(await state()).toMatchObject({ installed: false, problem: expect.any(String) })
		},
	)

	test('bytes that are no text, a folder, a link in a circle: refused', async () => {
		await writeFile(file, Buffer.from([0x7b, 0xff, 0x7d]))
		await expect(install()).rejects.toMatchObject({ code: 'hooks_file_unusable' })
		await rm(file)
		await mkdir(file)
		await expect(install()).rejects.toMatchObject({ code: 'hooks_file_unusable' })
		await rm(file, { recursive: true })
		await symlink('settings.json', file)
		await expect(install()).rejects.toMatchObject({ code: 'hooks_file_unusable' })
	})
})
