/** Questions and output of the plain commands, in a real terminal. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { Hosted, Program } from '../commands/_program.ts'
import * as shapes from '../commands/_shapes.ts'
import { launcher, press, until } from '../tools/lab.ts'
import { Terminal } from '../tools/terminal.ts'

let program: Program
let context: Context
let hosted: Hosted
let request: string

beforeAll(async () => {
	program = await Program.make()
	context = await program.context()
}, 120_000)

afterAll(async () => {
	await hosted?.[Symbol.asyncDispose]()
	await context?.[Symbol.asyncDispose]()
	await program?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
	await hosted?.[Symbol.asyncDispose]()
	hosted = await Hosted.start(context)
	void hosted.agent.ask('a')
	const waiting = async () =>
		(await context.gateway.listRequests({ status: 'pending', limit: 9 })).find(
			({ session }) => session === hosted.id,
		)
	await until(waiting)
	request = (await waiting())?.id ?? ''
})

function terminal(args: readonly string[], columns = 100): Terminal {
	return new Terminal({
		command: process.execPath,
		args: [launcher, ...args],
		env: program.env,
		cwd: program.cwd,
		columns,
		rows: 50,
	})
}

async function statusOf(id: string): Promise<string | undefined> {
	const { permissions } = await program.json(shapes.permissions, ['permissions', '--all'])
	return permissions.find((one) => one.id === id)?.status
}

test('approve shows the request in full and asks; y allows it', async () => {
	await using screen = terminal(['approve', request])
	const asked = await screen.until('Allow this? [y/N]')
	expect(asked).toContain('$ rm -rf build')
	expect(asked).toMatch(/risk (low|medium|high)/)
	expect(hosted.agent.answers.size).toBe(0)
	await screen.type('y\r')
	await screen.until('applied: the agent went on')
	expect(await screen.exited).toBe(0)
	expect(await statusOf(request)).toBe('approved')
})

test('deny asks too', async () => {
	await using screen = terminal(['deny', request, '--reason', 'not now'])
	await screen.until('Deny this? [y/N]')
	await screen.type('yes\r')
	expect(await screen.exited).toBe(0)
	expect(hosted.agent.answers.get('a')).toEqual([{ decision: 'deny', reason: 'not now' }])
})

test.each([
	['return', press.enter, 1, 'nothing was sent'],
	['n', 'n\r', 1, 'nothing was sent'],
	['Ctrl-C', press.ctrlC, 130, 'Interrupted: nothing was sent'],
	['Ctrl-D', '\u0004', 130, 'Interrupted: nothing was sent'],
])('%s answers nothing, and the request still waits', async (_, keys, code, words) => {
	await using screen = terminal(['approve', request])
	await screen.until('Allow this? [y/N]')
	await screen.type(keys)
	expect(await screen.exited).toBe(code)
	expect(await screen.until(words)).not.toContain('fault')
	expect(hosted.agent.answers.size).toBe(0)
	expect(await statusOf(request)).toBe('pending')
})

test('permissions --watch says that it waits, and ends with Ctrl-C', async () => {
	await using screen = terminal(['permissions', '--watch'])
	await screen.until('$ rm -rf build')
	expect(screen.text()).toContain('Waiting for requests; Ctrl-C ends it.')
	await screen.press(press.ctrlC)
	expect(await screen.exited).toBe(130)
})

test.each([['--help'], ['doctor'], ['status']])('%s fits a narrow terminal', async (command) => {
	await using screen = terminal([command], 60)
	expect(await screen.exited).toBeLessThanOrEqual(1)
	const lines = screen.written.split('\r\n')
	expect(lines.length).toBeGreaterThan(5)
	// Only a word that is longer than its column, such as a path, may stand out.
	const long = lines.filter((line) => line.length > 60 && !/\S{30,}/.test(line))
	expect(long).toEqual([])
})
