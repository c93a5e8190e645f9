/** The checks that need no program: what they make of a machine that lacks something. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checking, ok, sizeText } from '../../source/commands/doctor/check.ts'
import { checkSettings } from '../../source/commands/doctor/home.ts'
import {
	checkDisk,
	checkNode,
	checkTerminal,
	existing,
} from '../../source/commands/doctor/machine.ts'
import { type Io, processIo } from '../../source/commands/io.ts'
import { resolveHome } from '../../source/config/paths.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'

test.each([
	['22.12.0', 'fail'],
	['20.19.5', 'fail'],
	['22.13.0', 'ok'],
	['24.0.0', 'ok'],
	['100.1.0', 'ok'],
])('Node %s: %s', (version, state) => {
	expect(checkNode(version).state).toBe(state)
})

interface Seen {
	columns?: number
	rows?: number
	depth?: number
	tty?: boolean
	env?: NodeJS.ProcessEnv
}

function io({ columns = 120, rows = 40, depth = 24, tty = true, env = {} }: Seen): Io {
	const stdin = Object.create(process.stdin, { isTTY: { value: tty } })
	const stdout = Object.create(process.stdout, {
		isTTY: { value: tty },
		columns: { value: columns },
		rows: { value: rows },
		getColorDepth: { value: () => depth },
	})
	return {
		...processIo(),
		stdin,
		stdout,
		platform: 'linux',
		env: { TERM: 'xterm-256color', LANG: 'en_US.UTF-8', ...env },
	}
}

test.each<[string, Seen, 'ok' | 'warn', string]>([
	['none', { tty: false, columns: 1 }, 'ok', 'none here'],
	['a good one', {}, 'ok', 'xterm-256color, 120×40, 16777216 colours, Unicode'],
	['no colours', { env: { NO_COLOR: '1' } }, 'ok', 'no colours'],
	['few colours', { depth: 4 }, 'ok', '16 colours'],
	['a small one', { columns: 79 }, 'warn', '79×40'],
	['a flat one', { rows: 23 }, 'warn', '120×23'],
	['a dumb one', { env: { TERM: 'dumb' } }, 'warn', 'dumb'],
	['another locale', { env: { LC_ALL: 'C' } }, 'warn', 'the locale is not UTF-8'],
	['no locale', { env: { LANG: '' } }, 'warn', 'the locale is not UTF-8'],
	['the later of two locales', { env: { LC_CTYPE: 'C.utf8', LANG: 'C' } }, 'ok', 'Unicode'],
])('a terminal: %s', (_, seen, state, words) => {
	const check = checkTerminal(io(seen))
	expect(check).toMatchObject({ id: 'terminal', state, detail: expect.stringContaining(words) })
	expect(check.mend === null).toBe(state === 'ok')
})

test('the disk is looked at where the folder will be', async () => {
	const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	const missing = join(folder, 'not', 'made', 'yet')
	expect(existing(missing)).toBe(folder)
	expect((await checkDisk(missing)).detail).toMatch(
		new RegExp(`^[\\d.]+ (bytes|[KMGT]B) free at ${folder}`),
	)
	await rm(folder, { recursive: true })
})

test.each([
	[0, '0 bytes'],
	[999, '999 bytes'],
	[1000, '1.0 KB'],
	[42_512_345, '42.5 MB'],
	[123_400_000_000, '123 GB'],
])('%d is %s', (bytes, text) => {
	expect(sizeText(bytes)).toBe(text)
})

test('an error of ours becomes a failed check; one that is not goes on', async () => {
	const good = ok('x', 'fine')
	expect(await checking('x', () => good)).toBe(good)
	const told = await checking('x', () => {
		throw new StyrbyError('disk_full', 'The disk of /a is full: free some space, then try again.')
	})
	expect(told).toEqual({
		id: 'x',
		state: 'fail',
		detail: 'The disk of /a is full',
		mend: 'Free some space, then try again.',
	})
	await expect(
		checking('x', () => {
			throw new RangeError('a fault')
		}),
	).rejects.toThrow(RangeError)
})

test('keys that are in each other’s way are found', async () => {
	const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	try {
		const home = resolveHome({ STYRBY_HOME: folder })
		await mkdir(home.config, { recursive: true })
		const settings = async (keys: object) => {
			await writeFile(join(home.config, 'config.json'), JSON.stringify({ keys }), { mode: 0o600 })
			return await checkSettings(home)
		}
		expect(await settings({ allow: 'ö' })).toMatchObject({ state: 'ok' })
		const { state, detail } = await settings({ allow: 'ö', deny: 'ö' })
		expect(state).toBe('fail')
		expect(detail).toMatch(/"allow" and "deny"|"deny" and "allow"/)
	} finally {
		await rm(folder, { recursive: true, force: true })
	}
})
