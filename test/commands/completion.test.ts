/** The completion scripts, in the shells that they are for. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findExecutable } from '../../source/agents/executable.ts'
import { Flags } from '../../source/commands/command.ts'
import { run as completion } from '../../source/commands/completion.ts'
import { processIo } from '../../source/commands/io.ts'
import { commands } from '../../source/commands/table.ts'

const run = promisify(execFile)
const shells = ['bash', 'zsh', 'fish'] as const
const found = new Map(
	await Promise.all(
		shells.map(async (shell) => [shell, await findExecutable(shell, process.env)] as const),
	),
)
let folder: string

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-completion-'))
	for (const shell of shells) await writeFile(join(folder, shell), await script(shell))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function script(shell: string): Promise<string> {
	let text = ''
	const stdout = Object.create(process.stdout, {
		write: {
			value: (chunk: string) => {
				text += chunk
				return true
			},
		},
	})
	const io = { ...processIo(), stdout }
	expect(await completion({ args: [shell], rest: [], flags: new Flags({}), io })).toBe(0)
	return text
}

test('another shell is told which there are', async () => {
	await expect(script('tcsh')).rejects.toMatchObject({ code: 'bad_value', exitCode: 2 })
})

test.each(shells)('the script for %s names every command and option', async (shell) => {
	const text = await script(shell)
	for (const { name, flags } of commands) {
		expect(text).toContain(name)
		for (const flag of Object.keys(flags)) {
			expect(text).toContain(shell === 'fish' ? `-l ${flag}` : `--${flag}`)
		}
	}
})

describe.each(shells)('%s', (shell) => {
	const path = found.get(shell) ?? ''
	test.skipIf(path === '')('takes the script for well-formed', async () => {
		await run(path, ['-n', join(folder, shell)])
	})
})

describe('in bash', () => {
	const path = found.get('bash') ?? ''

	/** What bash would offer for the words typed so far; the last one may be unfinished. */
	async function offers(...words: string[]): Promise<string[]> {
		const { stdout } = await run(path, [
			'--norc',
			'-c',
			`source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _styrby_tui; printf '%s\\n' "\${COMPREPLY[@]}"`,
			'bash',
			join(folder, 'bash'),
			'styrby-tui',
			...words,
		])
		return stdout.split('\n').filter((word) => word !== '')
	}

	test.skipIf(path === '')('commands are offered first', async () => {
		expect(await offers('')).toEqual([...commands.map(({ name }) => name), '--help', '--version'])
		expect(await offers('se')).toEqual(['sessions', 'serve'])
	})

	test.skipIf(path === '')('then the options of the command, and their values', async () => {
		expect(await offers('show', '--f')).toEqual(['--follow'])
		expect(await offers('sessions', '--status', '')).toEqual([
			'starting',
			'running',
			'idle',
			'stopped',
			'error',
		])
		expect(await offers('approve', '1234', '--scope', 's')).toEqual(['session'])
		expect(await offers('completion', '')).toContain('zsh')
		expect(await offers('run', 'c')).toEqual(['claude'])
	})

	test.skipIf(path === '')('nothing is offered where nothing is known', async () => {
		expect(await offers('frobnicate', '')).toEqual([])
	})
})
