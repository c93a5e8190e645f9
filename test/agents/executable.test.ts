import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { childEnvironment } from '../../source/agents/child-environment.ts'
import { findExecutable, readVersion } from '../../source/agents/executable.ts'

let folder = ''
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	await mkdir(join(folder, 'a', 'tool'), { recursive: true })
	await mkdir(join(folder, 'b'))
	await mkdir(join(folder, 'c'))
	await writeFile(join(folder, 'b', 'tool'), 'not to be run')
	await writeFile(join(folder, 'c', 'tool'), '#!/bin/sh\necho "tool 12.3.45 (beta)"\n')
	await writeFile(join(folder, 'c', 'slow'), '#!/bin/sh\nexec sleep 30\n')
	await chmod(join(folder, 'c', 'tool'), 0o755)
	await chmod(join(folder, 'c', 'slow'), 0o755)
})
afterAll(() => rm(folder, { recursive: true }))

const path = (...names: string[]) => ({
	PATH: [...names.map((name) => join(folder, name)), '/usr/bin', '/bin'].join(':'),
})

test('the first regular file that may be run is found', async () => {
	expect(await findExecutable('tool', path('a', 'b', 'c'))).toBe(join(folder, 'c', 'tool'))
	expect(await findExecutable('tool', { PATH: 'c' }, folder)).toBe(join(folder, 'c', 'tool'))
	expect(await findExecutable('tool', path('a', 'b'))).toBeNull()
	expect(await findExecutable('tool', {})).toBeNull()
})

test('the version is what the program says, in time', async () => {
	expect(await readVersion(join(folder, 'c', 'tool'), path('c'))).toBe('12.3.45')
	expect(await readVersion(join(folder, 'c', 'slow'), path('c'), 200)).toBeNull()
	expect(await readVersion(join(folder, 'no-such'), path('c'))).toBeNull()
})

test('nothing of ours is in the environment of an agent, but that it is hosted', () => {
	const env = { PATH: '/bin', STYRBY_PASSPHRASE_FILE: 'x', styrby_url: 'y', NOT_STYRBY_: 'z' }
	expect(childEnvironment(env)).toEqual({ PATH: '/bin', NOT_STYRBY_: 'z', STYRBY_HOSTED: '1' })
})
