import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HookedCall } from '../../source/agents/hooked.ts'
import { type Home, resolveHome } from '../../source/config/paths.ts'
import { HookCalls } from '../../source/host/hooks/hook-calls.ts'
import { hookCommand } from '../../source/host/hooks/hook-script.ts'
import {
	becomeHost,
	callsFolder,
	runningHost,
	takeCalls,
} from '../../source/host/hooks/host-process.ts'
import { program } from '../tools/program.ts'

let folder = ''
let home: Home
let calls: { agent: string; call: HookedCall }[] = []

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "styrby 'test-"))
	home = resolveHome({ STYRBY_HOME: join(folder, 'home') }, 'linux', folder)
	calls = []
})

afterEach(async () => {
	await rm(folder, { recursive: true, force: true })
})

interface Hook {
	child: ChildProcess
	ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

/** As an agent runs it. */
function hook(kind: 'ask' | 'tell', input: string, env: NodeJS.ProcessEnv = {}): Hook {
	const child = spawn('/bin/sh', ['-c', hookCommand(home, 'claude', kind)], {
		env: { PATH: process.env.PATH, ...env },
		stdio: 'pipe',
	})
	let stdout = ''
	let stderr = ''
	child.stdout.on('data', (data) => {
		stdout += data
	})
	child.stderr.on('data', (data) => {
		stderr += data
	})
	child.stdin.on('error', () => undefined)
	child.stdin.end(input)
	const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }))
	return { child, ended }
}

async function until(holds: () => unknown): Promise<void> {
	const end = Date.now() + 10_000
	while (!holds()) {
		if (Date.now() > end) throw new Error('Not in time')
		await new Promise((resolve) => setTimeout(resolve, 5))
	}
}

async function host(): Promise<AsyncDisposableStack> {
	const all = new AsyncDisposableStack()
	const lock = await becomeHost(home)
	if (lock === null) throw new Error('There is another host')
	all.use(lock)
	const take = (agent: string, call: HookedCall) => void calls.push({ agent, call })
	all.use(await HookCalls.start(callsFolder(home), take))
	all.use(await takeCalls(home))
	return all
}

const quiet = { code: 0, stdout: '', stderr: '' }
const big = `{"a":"${'x'.repeat(300_000)}"}`

describe.skipIf(process.platform === 'win32')('hooks', () => {
	test('without a home, without a host, after one that was killed: they say nothing and end', async () => {
		expect(await hook('ask', big).ended).toEqual(quiet)
		const lock = await becomeHost(home)
		expect(await hook('ask', big).ended).toEqual(quiet)
		expect(await hook('tell', big).ended).toEqual(quiet)
		const gone = spawn('true')
		await once(gone, 'exit')
		await writeFile(join(home.run, 'hooks', 'host.pid'), `${gone.pid}\n`)
		expect(await hook('ask', big).ended).toEqual(quiet)
		await writeFile(join(home.run, 'hooks', 'host.pid'), 'no pid; touch oops\n')
		expect(await hook('ask', '{}').ended).toEqual(quiet)
		if (process.platform === 'linux') {
			// Another process has its number by now.
			await writeFile(join(home.run, 'hooks', 'host.pid'), `${process.pid}\n1.0.0\n1\n`)
			expect(await hook('ask', '{}', { since: '1' }).ended).toEqual(quiet)
			expect(await hook('tell', '{}').ended).toEqual(quiet)
		}
		expect(await readdir(callsFolder(home))).toEqual([])
		await lock?.[Symbol.asyncDispose]()
	})

	test('what is told arrives whole and in order; what is asked is answered', async () => {
		await using _ = await host()
		expect(await runningHost(home)).toMatchObject({ pid: process.pid })
		expect(await becomeHost(home)).toBeNull()
		expect(await hook('tell', '{"n":1}').ended).toEqual(quiet)
		expect(await hook('tell', big).ended).toEqual(quiet)
		await until(() => calls.length === 2)
		expect(calls.map(({ agent }) => agent)).toEqual(['claude', 'claude'])
		expect(calls.map(({ call }) => call.body)).toEqual(['{"n":1}', big])
		expect(calls[0]?.call.pid).toBe(process.pid)

		const asked = hook('ask', '{"may":"I"}')
		await until(() => calls.length === 3)
		const answer = 'y'.repeat(200_000)
		expect(await calls[2]?.call.respond(answer)).toBe(true)
		expect(await calls[2]?.call.respond('again')).toBe(false)
		expect(await asked.ended).toEqual({ code: 0, stdout: answer, stderr: '' })
		expect(await readdir(callsFolder(home))).toEqual([])
	})

	test('one that is given up is told of, and takes no answer', async () => {
		await using _ = await host()
		const asked = hook('ask', '{}')
		await until(() => calls.length === 1)
		let hungUp = 0
		calls[0]?.call.onHangUp(() => hungUp++)
		asked.child.kill('SIGTERM')
		await until(() => hungUp === 1)
		expect(await calls[0]?.call.respond('{}')).toBe(false)
	})

	test('a session that is hosted already is left alone', async () => {
		await using _ = await host()
		expect(await hook('ask', '{}', { STYRBY_HOSTED: '1' }).ended).toEqual(quiet)
		expect(calls).toEqual([])
	})

	test('the host ends: those who wait go on without an answer', async () => {
		const running = await host()
		const asked = hook('ask', '{}')
		await until(() => calls.length === 1)
		await running.disposeAsync()
		expect(await asked.ended).toEqual(quiet)
		expect(await runningHost(home)).toBeNull()
	})

	test('the host is killed: those who wait go on without an answer', async () => {
		const lock = await becomeHost(home)
		await lock?.[Symbol.asyncDispose]()
		const script = join(import.meta.dirname, '../tools/hook-host.ts')
		const killed = spawn(process.execPath, [script, join(folder, 'home')], { stdio: 'pipe' })
		await once(killed.stdout, 'data')
		const asked = hook('ask', '{}')
		await once(killed.stdout, 'data')
		killed.kill('SIGKILL')
		expect(await asked.ended).toEqual(quiet)
	})

	test('calls that a dead host left are taken by the next one', async () => {
		const lock = await becomeHost(home)
		await writeFile(join(home.run, 'hooks', 'host.pid'), `${process.pid}\n`)
		const asked = hook('ask', '{"left":true}')
		await hook('tell', '{}').ended
		await lock?.[Symbol.asyncDispose]()
		await using _ = await host()
		await until(() => calls.length === 2)
		const ask = calls.find(({ call }) => call.body.includes('left'))
		expect(await ask?.call.respond('late')).toBe(true)
		expect((await asked.ended).stdout).toBe('late')
	})

	test('the command does what the script does', async () => {
		const env = { PATH: process.env.PATH, STYRBY_HOME: join(folder, 'home') }
		const command = (input: string) => {
			const child = spawn(process.execPath, [program, 'hook', 'claude'], { env, stdio: 'pipe' })
			let stdout = ''
			child.stdout.on('data', (data) => {
				stdout += data
			})
			child.stdin.end(input)
			return once(child, 'close').then(([code]) => ({ code, stdout }))
		}
		const asking = '{"hook_event_name":"PermissionRequest","session_id":"s"}'
		expect(await command(asking)).toEqual({ code: 0, stdout: '' })
		await using _ = await host()
		const asked = command(asking)
		await until(() => calls.length === 1)
		expect(calls[0]?.call).toMatchObject({ body: asking, pid: process.pid })
		expect(await calls[0]?.call.respond('yes')).toBe(true)
		expect(await asked).toEqual({ code: 0, stdout: 'yes' })
		const telling = '{"hook_event_name":"Stop","session_id":"s"}'
		expect(await command(telling)).toEqual({ code: 0, stdout: '' })
		await until(() => calls.length === 2)
	})

	test('odd things in the folder are no calls', async () => {
		await using _ = await host()
		execFileSync('mkfifo', [join(callsFolder(home), 'claude.1.2.tell')])
		execFileSync('ln', ['-s', '/etc/passwd', join(callsFolder(home), 'claude.1.3.tell')])
		await mkdir(join(callsFolder(home), 'claude.1.4.tell'))
		await writeFile(join(callsFolder(home), 'other'), 'x')
		await hook('tell', '{}').ended
		await until(() => calls.some(({ call }) => call.body === '{}'))
		expect(calls.map(({ call }) => call.body)).toEqual(['{}'])
	})
})
