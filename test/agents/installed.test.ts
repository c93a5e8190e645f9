import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { installed } from '../../source/agents/installed.ts'

const agent = installed({ command: 'some-agent', title: 'Some Agent', install: 'get some-agent' })
let folder: string

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-installed-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

test('an agent on the PATH is found, with its version', async () => {
	const path = join(folder, 'some-agent')
	await writeFile(path, '#!/bin/sh\necho "Some Agent v4.5.6 (stable)"\n', { mode: 0o755 })
	const env = { PATH: `${folder}:/usr/bin:/bin` }
	await expect(agent.find(env)).resolves.toEqual({ path, version: '4.5.6' })
	await expect(agent.locate(env, folder)).resolves.toBe(path)
	await expect(agent.locate({ PATH: '.' }, folder)).resolves.toBe(path)
})

test('of an agent that is not there it is said how to install it', async () => {
	const env = { PATH: folder }
	await expect(agent.find(env)).resolves.toBeNull()
	await expect(agent.locate(env, folder)).rejects.toMatchObject({
		code: 'agent_not_installed',
		message: 'Some Agent is not on the PATH: install it with `get some-agent`.',
	})
})
