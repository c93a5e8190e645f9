/** What real tmux makes of the ways past it: a terminal outside of it is told, where tmux lets it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { desktopBy } from '../../source/ui/notification.ts'
import { environment, timeout } from '../tools/installed.ts'
import { Terminal } from '../tools/terminal.ts'

let folder: string

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'styrby-test-'))
})

afterAll(async () => {
	await rm(folder, { recursive: true, force: true })
})

test.each([
	['on', true],
	['off', false],
] as const)('with allow-passthrough %s', { timeout }, async (allow, arrives) => {
	const sequence = desktopBy('osc9', { TERM: 'tmux-256color' }).notify('two requests wait')
	const file = path.join(folder, allow)
	await writeFile(file, sequence)
	const tmux = `tmux -S ${path.join(folder, `socket-${allow}`)}`
	const line = `${tmux} -f /dev/null new-session -d sh \\; set -g allow-passthrough ${allow}`
	await using terminal = new Terminal({
		command: 'sh',
		args: ['-c', `${line} && exec ${tmux} attach`],
		env: environment(folder, { TERM: 'xterm-256color' }),
	})
	await terminal.until('0:sh')
	await terminal.press(`cat ${file}; echo told\r`)
	await terminal.until(/^told/m)
	expect(terminal.written.includes('\u001B]9;two requests wait\u0007')).toBe(arrives)
	expect(terminal.text()).not.toContain('two requests wait')
	await terminal.press('exit\r')
	await terminal.exited
})
