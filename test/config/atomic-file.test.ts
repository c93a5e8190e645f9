import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readOwnFile, replaceFile } from '../../source/config/atomic-file.ts'
import { temporaryHome } from './temporary-home.ts'

describe('replaceFile', () => {
	it('writes a file that only its owner can read, and leaves nothing beside it', async () => {
		await using at = await temporaryHome()
		const file = join(at.home.data, 'x.json')
		await replaceFile(file, 'one')
		await chmod(file, 0o644)
		await replaceFile(file, 'two')
		expect(await readFile(file, 'utf8')).toBe('two')
		expect((await stat(file)).mode & 0o777).toBe(0o600)
		expect(await readdir(at.home.data)).toEqual(['x.json'])
	})

	it('replaces a link instead of writing through it', async () => {
		await using at = await temporaryHome()
		const target = join(at.root, 'target')
		const file = join(at.home.data, 'x')
		await writeFile(target, 'kept')
		await mkdir(at.home.data, { mode: 0o700 })
		await symlink(target, file)
		await replaceFile(file, 'new')
		expect(await readFile(target, 'utf8')).toBe('kept')
		expect(await readFile(file, 'utf8')).toBe('new')
	})

	it('is whole whenever it is read, while many write', async () => {
		await using at = await temporaryHome()
		const file = join(at.home.data, 'x')
		const contents = Array.from({ length: 20 }, (_, n) => String(n % 10).repeat(100_000))
		await replaceFile(file, contents[0] ?? '')
		const writing = Promise.all(contents.map((content) => replaceFile(file, content)))
		for (let n = 0; n < 50; n++) expect(contents).toContain(await readFile(file, 'utf8'))
		await writing
		expect(await readdir(at.home.data)).toEqual(['x'])
	})

	it('keeps the old file and removes the new one when it can not be put in place', async () => {
		await using at = await temporaryHome()
		const file = join(at.home.data, 'x')
		await mkdir(join(file, 'full'), { recursive: true, mode: 0o700 })
		await expect(replaceFile(file, 'new')).rejects.toMatchObject({ code: 'home_failed' })
		expect(await readdir(at.home.data)).toEqual(['x'])
	})
})

describe('readOwnFile', () => {
	it('gives null for what is not there', async () => {
		await using at = await temporaryHome()
		expect(await readOwnFile(join(at.root, 'none'), 10)).toBeNull()
		expect(await readOwnFile(join(at.root, 'none', 'none'), 10)).toBeNull()
	})

	it('refuses a link, a folder, a pipe and too much', async () => {
		await using at = await temporaryHome()
		await writeFile(join(at.root, 'file'), '12345')
		await symlink(join(at.root, 'file'), join(at.root, 'link'))
		execFileSync('mkfifo', [join(at.root, 'pipe')])
		for (const name of ['link', 'pipe', '.']) {
			await expect(readOwnFile(join(at.root, name), 10)).rejects.toMatchObject({
				code: 'unsafe_file',
				exitCode: 4,
			})
		}
		expect(await readOwnFile(join(at.root, 'file'), 5)).toHaveLength(5)
		await expect(readOwnFile(join(at.root, 'file'), 4)).rejects.toMatchObject({
			code: 'unsafe_file',
		})
	})
})
