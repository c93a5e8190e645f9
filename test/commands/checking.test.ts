/** `doctor` and `verify`, on a home that is well and on one that is not. */
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { adapterNames } from '../../source/host/adapters.ts'
import { Publisher } from '../../source/host/publisher.ts'
import { randomId } from '../../source/protocol/device.ts'
import { embeddedState, stopEmbedded } from '../../source/server/discover.ts'
import { backendFolder } from '../../source/server/installation.ts'
import { openPglite } from '../../source/server/pglite-engine.ts'
import { Hosted, linesOf, Program } from './_program.ts'
import * as shapes from './_shapes.ts'

let program: Program
let context: Context
let session: string

beforeAll(async () => {
	program = await Program.make()
	context = await program.context()
	const hosted = await Hosted.start(context, 'list the reeds')
	hosted.agent.text('There are twelve reeds.')
	hosted.agent.text('And one heron.')
	session = hosted.id
	await hosted.finish()
}, 120_000)

afterAll(async () => {
	await context?.[Symbol.asyncDispose]()
	await program?.[Symbol.asyncDispose]()
})

const doctor = async (one: Program, env: NodeJS.ProcessEnv = {}) => {
	const { code, stdout } = await one.run(['doctor', '--json'], env)
	const [{ checks } = { checks: [] }] = linesOf(shapes.checks, stdout)
	return { code, checks: new Map(checks.map((check) => [check.id, check])) }
}

describe('doctor', () => {
	test('finds nothing wrong with a home in use', async () => {
		const { code, checks } = await doctor(program)
		expect(code).toBe(0)
		expect([...checks.keys()]).toEqual([
			'node',
			'terminal',
			'home',
			'disk',
			'settings',
			'policy',
			'vault',
			'backend',
			'storage',
			'lock',
			'clock',
			'outbox',
			'account',
			'device-log',
			...adapterNames.map((name) => `agent-${name}`),
			// None may be installed here.
			...(checks.has('agents') ? ['agents'] : []),
		])
		const states = [...checks.values()].filter(({ id }) => !/^agent|^disk/.test(id))
		expect(states.map(({ id, state }) => [id, state])).toEqual(states.map(({ id }) => [id, 'ok']))
		expect(checks.get('storage')?.detail).toMatch(
			/fsync on \(fsync\), synchronous_commit on, [1-9]/,
		)
		expect(checks.get('vault')?.detail).toMatch(/^file: .*key-file\.json/)
		expect(checks.get('device-log')?.detail).toMatch(/^1 entry, signed and chained/)
		const text = await program.run(['doctor'])
		expect(text.stdout).toMatch(/^✓ backend +embedded /m)
	})

	test('a clock that is off shows against the backend’s', async () => {
		const near = await embeddedState(program.home)
		expect(Math.abs(near?.clockOffMs ?? Number.NaN)).toBeLessThan(60_000)
		const slow = await embeddedState(program.home, () => Date.now() - 3_600_000)
		expect(slow?.clockOffMs).toBeGreaterThan(3_000_000)
		const fast = await embeddedState(program.home, () => Date.now() + 3_600_000)
		expect(fast?.clockOffMs).toBeLessThan(-3_000_000)
	})

	test('what a host that died left behind is a warning, until a command has sent it', async () => {
		await using away = await Program.make()
		{
			await using there = await away.context()
			const { account, gateway, home } = there
			await using publisher = Publisher.start({
				account,
				gateway,
				dataFolder: home.data,
				session: randomId(),
				agent: 'claude',
				startedAt: new Date().toISOString(),
				project: null,
				label: null,
			})
			// It ends without a word, and gives its lock back as a dead process does.
			expect(publisher.outbox.ended).toBe(false)
		}
		const { code, checks } = await doctor(away)
		expect(code).toBe(0)
		expect(checks.get('outbox')).toMatchObject({
			state: 'warn',
			detail: expect.stringMatching(/1 left by hosts that died/),
		})
		await away.json(shapes.sessions, ['sessions'])
		expect((await doctor(away)).checks.get('outbox')).toMatchObject({
			state: 'ok',
			detail: 'empty',
		})
	})

	test('makes nothing in a home that was never used', async () => {
		await using fresh = await Program.make()
		const { code, checks } = await doctor(fresh)
		expect(code).toBe(0)
		expect(checks.get('backend')?.detail).toContain('not running')
		expect(checks.get('account')?.detail).toContain('none yet')
		expect(checks.has('device-log')).toBe(false)
	})

	test('an agent that is not there is said; that there is none at all is a warning', async () => {
		const { code, checks } = await doctor(program, { PATH: program.folder })
		expect(code).toBe(0)
		for (const name of adapterNames) {
			expect(checks.get(`agent-${name}`)).toMatchObject({
				state: 'ok',
				detail: expect.stringMatching(/^not installed \(tested with \d/),
				mend: null,
			})
		}
		expect(checks.get('agents')).toMatchObject({
			state: 'warn',
			mend: expect.stringContaining('claude, '),
		})
	})

	test.skipIf(process.platform === 'win32')(
		'an agent of another version is a warning',
		async () => {
			const file = join(program.folder, 'claude')
			await writeFile(file, '#!/bin/sh\necho "9.9.9 (Claude Code)"\n', { mode: 0o755 })
			const PATH = `${program.folder}:${process.env.PATH}`
			const { checks } = await doctor(program, { PATH })
			expect(checks.get('agent-claude')).toMatchObject({
				state: 'warn',
				detail: expect.stringMatching(/^9\.9\.9 /),
			})
			expect(checks.has('agents')).toBe(false)
		},
	)

	test('broken settings fail, and everything else is looked at all the same', async () => {
		await using broken = await Program.make()
		await broken.run(['sessions'])
		await writeFile(join(broken.home.config, 'config.json'), '{"project": "shown"}')
		const { code, checks } = await doctor(broken)
		expect(code).toBe(1)
		expect(checks.get('settings')).toMatchObject({
			state: 'fail',
			detail: expect.stringContaining('"project"'),
		})
		expect(checks.get('backend')?.state).toBe('ok')
		const text = await broken.run(['doctor'])
		expect([text.code, text.stderr]).toEqual([1, ''])
		expect(text.stdout).toMatch(/^✗ settings /m)
		expect(text.stdout).toMatch(/checks: \d failed/)
	})

	test.skipIf(process.platform === 'win32')('a key file that others can read fails', async () => {
		await using open = await Program.make()
		await open.run(['sessions'])
		await chmod(join(open.home.data, 'key-file.json'), 0o644)
		const { code, checks } = await doctor(open)
		expect(code).toBe(1)
		expect(checks.get('vault')).toMatchObject({
			state: 'fail',
			mend: expect.stringMatching(/^Run: chmod 600 /),
		})
		expect(checks.get('account')?.state).toBe('fail')
	})

	test('a wrong passphrase fails with what to do', async () => {
		const file = join(program.folder, 'wrong')
		await writeFile(file, 'another phrase\n')
		const { code, checks } = await doctor(program, { STYRBY_PASSPHRASE_FILE: file })
		expect(code).toBe(1)
		expect(checks.get('account')).toMatchObject({
			state: 'fail',
			detail: expect.stringContaining('passphrase'),
		})
	})
})

describe('verify', () => {
	test('shows what crossed the wire, and that all history holds', async () => {
		const verdict = await program.json(shapes.verdict, ['verify'])
		expect(verdict).toMatchObject({
			verified: true,
			wire: { live: true, leaks: [], row_seen: true },
			log: { entries: 1, verified: true, problem: null },
			intruders: [],
			sessions: 2,
			problems: [],
		})
		expect(verdict.wire?.looked_for).toContain('the secret box key of this device')
		expect(verdict.wire?.bytes.up).toBeGreaterThan(1000)

		// The sentence can be read where it belongs, and a second one goes beside it: one session for all.
		const again = await program.json(shapes.verdict, ['verify'])
		expect(again.sessions).toBe(2)
		expect(again.wire?.session).toBe(verdict.wire?.session)
		const shown = await program.lines(shapes.message, ['show', verdict.wire?.session ?? ''])
		expect(shown.map(({ body }) => body?.text)).toEqual([
			verdict.wire?.sentence,
			again.wire?.sentence,
		])
	}, 60_000)

	test('as text it ends with the verdict', async () => {
		const { code, stdout, stderr } = await program.run(['verify'])
		expect([code, stderr]).toEqual([0, ''])
		expect(stdout).toMatch(/^ {6}ciphertext +[A-Za-z0-9+/]{32}… \(\d+ characters\)$/m)
		expect(stdout.trimEnd().split('\n').at(-1)).toBe('All of it holds.')
	}, 60_000)

	test('names the session and the message that was changed in the database', async () => {
		await context[Symbol.asyncDispose]()
		await stopEmbedded(program.home)
		const folder = join(backendFolder(program.home.data), 'pg')
		const engine = await openPglite({ folder, template: null })
		await engine.query(
			`update public.session_messages set ciphertext = set_byte(ciphertext, 40, get_byte(ciphertext, 40) # 1)
				where session_id = $1::uuid and seq = 3`,
			[session],
		)
		await engine.close()

		const { code, stdout, stderr } = await program.run(['verify', '--json'])
		expect(code).toBe(4)
		const [verdict] = linesOf(shapes.verdict, stdout)
		expect(verdict).toMatchObject({ verified: false, log: { verified: true } })
		expect(verdict?.problems[0]).toMatchObject({ session, seq: 3, code: 'message_altered' })
		expect(verdict?.problems.every((one) => one.session === session)).toBe(true)
		const [told] = linesOf(shapes.failure, stderr)
		expect(told?.error.code).toBe('not_verified')
		expect(told?.error.message).toContain(`session ${session.slice(0, 8)} message #3`)

		const shown = await program.run(['show', session, '--json'])
		expect(shown.code).toBe(4)
	}, 60_000)
})
