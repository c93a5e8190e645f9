/** The demo in a terminal, interrupted before its screen is up: nothing of it stays. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { environment, start, timeout } from '../tools/installed.ts'
import { Terminal } from '../tools/terminal.ts'

let folder: string
beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'styrby-test-'))
	await mkdir(path.join(folder, 'tmp'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('ctrl-c while the demo is made ready leaves no folder behind', { timeout }, async () => {
	const TMPDIR = path.join(folder, 'tmp')
	await using terminal = new Terminal({
		command: 'sh',
		args: ['-c', `trap '' INT; sh -c 'trap - INT; exec ${start} demo'; echo "left with $?"`],
		env: environment(folder, { TMPDIR }),
	})
	await terminal.until('styrby-tui demo:')
	const made = async () => (await readdir(TMPDIR)).some((name) => name.startsWith('styrby-demo-'))
	while (!(await made())) await new Promise((resolve) => setTimeout(resolve, 5))
	await terminal.type('\u0003')
	await terminal.until(/left with \d+/)
	expect(terminal.text()).toContain('left with 130')
	expect((await readdir(TMPDIR)).filter((name) => name.startsWith('styrby-'))).toEqual([])
})
