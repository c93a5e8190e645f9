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
const tops = commands.map(({ name }) => name).filter((name) => !name.includes(' '))
const members = commands.flatMap(({ name }) =>
	name.startsWith('devices ') ? [name.slice('devices '.length)] : [],
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
		expect(text).toContain(shell === 'fish' ? name.split(' ').at(-1) : name)
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
		expect(await offers('')).toEqual([...tops, '--help', '--version'])
		expect(await offers('se')).toEqual(['sessions', 'search', 'serve'])
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
		expect(await offers('run', 'c')).toContain('claude')
	})

	test.skipIf(path === '')('nothing is offered where nothing is known', async () => {
		expect(await offers('frobnicate', '')).toEqual([])
		expect(await offers('devices', 'frobnicate', '--y')).toEqual([])
	})

	test.skipIf(path === '')(
		'a family offers its commands, and each of them its own options',
		async () => {
			expect(await offers('devices', 'a')).toEqual(['access', 'add', 'approve'])
			expect(await offers('devices', '--j')).toEqual(['--json'])
			expect(await offers('devices', 'approve', '--')).toEqual([
				'--name',
				'--yes',
				'--json',
				'--help',
			])
			expect(await offers('devices', 'revoke', 'laptop', '--d')).toEqual(['--dry-run'])
			expect(await offers('approve', '--s')).toEqual(['--scope'])
		},
	)
})

describe('in zsh', () => {
	const path = found.get('zsh') ?? ''

	/** What zsh would be told to offer; it leaves it to the caller to hold that against what is typed. */
	async function offers(...words: string[]): Promise<string[]> {
		const { stdout } = await run(path, [
			'-f',
			'-c',
			`compdef() { : }; _describe() { print -l -- \${(P)2} }; _files() { : }
compadd() { [[ $1 == -- ]] && shift; print -l -- "$@" }
source "$1"; shift; words=("$@"); CURRENT=$#; _styrby_tui`,
			'zsh',
			join(folder, 'zsh'),
			'styrby-tui',
			...words,
		])
		return stdout.split('\n').filter((word) => word !== '')
	}

	test.skipIf(path === '')('commands, members of a family, options and values', async () => {
		const first = (await offers('')).map((line) => line.split(':')[0])
		expect(first).toEqual([...tops, '--help', '--version'])
		expect(await offers('devices', '')).toEqual([...members, '--json', '--help'])
		expect(await offers('devices', 'approve', '')).toEqual(['--name', '--yes', '--json', '--help'])
		expect(await offers('approve', '1234', '--scope', '')).toEqual(['once', 'session'])
	})
})

describe('in fish', () => {
	const path = found.get('fish') ?? ''

	async function offers(line: string): Promise<string[]> {
		const { stdout } = await run(
			path,
			['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', join(folder, 'fish'), line],
			{ env: { ...process.env, HOME: folder } },
		)
		const lines = stdout.split('\n').filter((word) => word !== '')
		return lines.map((one) => one.split('\t')[0] ?? '').sort()
	}

	test.skipIf(path === '')('commands, members of a family, options and values', async () => {
		expect(await offers('styrby-tui ')).toEqual([...tops].sort())
		expect(await offers('styrby-tui devices ')).toEqual([...members].sort())
		expect(await offers('styrby-tui devices --')).toEqual(['--json'])
		expect(await offers('styrby-tui devices approve --')).toEqual(['--json', '--name', '--yes'])
		expect(await offers('styrby-tui approve 1234 --s')).toEqual(['--scope'])
		expect(await offers('styrby-tui approve 1234 --scope ')).toEqual(['once', 'session'])
		expect(await offers('styrby-tui verify --')).toEqual(['--json'])
	})
})
