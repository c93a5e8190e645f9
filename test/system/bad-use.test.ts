/**
 * What goes wrong at a person's end: each time one clear sentence, the documented exit code, and nothing
 * lost. The built program, real file systems, a real keychain.
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
import {
	chmod,
	chown,
	mkdir,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	writeFile,
} from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { statusEmbedded, stopEmbedded } from '../../source/server/discover.ts'
import { Hosted, linesOf, Program } from '../commands/_program.ts'
import * as shapes from '../commands/_shapes.ts'
import { launcher, type Ran, Started, until } from '../tools/lab.ts'

const run = promisify(execFile)
const transcript = fileURLToPath(
	new URL('../fixtures/agents/claude/interactive-transcript.jsonl', import.meta.url),
)
const secretService = fileURLToPath(new URL('../tools/with-secret-service.sh', import.meta.url))
const isRoot = process.getuid?.() === 0

let program: Program
/** A session that must survive everything. */
let session: string

beforeAll(async () => {
	program = await Program.make()
	await using context = await program.context()
	const hosted = await Hosted.start(context, 'list the reeds')
	hosted.agent.text('There are twelve reeds.')
	session = hosted.id
	expect((await hosted.finish()).delivered).toBe(true)
}, 120_000)

afterAll(() => program?.[Symbol.asyncDispose]())

/** One sentence on stderr, nothing on stdout, the exit code. Returns the sentence. */
function expectRefusal({ code, stdout, stderr }: Ran, exitCode: number): string {
	expect([code, stdout]).toEqual([exitCode, ''])
	const [line = '', ...rest] = stderr.split('\n')
	expect(rest).toEqual([''])
	expect(line).toMatch(/^styrby-tui: [A-Z"/-].*[.?>]$/)
	return line
}

/** The same with `--json`; returns the code of the error. */
function expectJsonRefusal({ code, stdout, stderr }: Ran, exitCode: number): string {
	expect([code, stdout]).toEqual([exitCode, ''])
	return linesOf(shapes.failure, stderr)[0]?.error.code ?? ''
}

async function expectNothingLost(one: Program = program, id: string = session): Promise<void> {
	const messages = await one.lines(shapes.message, ['show', id])
	expect(messages.filter(({ kind }) => kind === 'agent_response')).toMatchObject([
		{ verified: true, body: { text: 'There are twelve reeds.' } },
	])
}

describe('a wrong command line', () => {
	test.each([
		[['frobnicate'], 'There is no command "frobnicate"'],
		[['sessions', '--frobnicate'], 'has no option --frobnicate'],
		[['show'], 'needs <session>'],
		[['sessions', '--limit', 'many'], '--limit takes a whole number'],
	])('%j', async (args, words) => {
		expect(expectRefusal(await program.run(args), 2)).toContain(words)
	})

	test('an agent that is not installed leaves no session behind', async () => {
		const before = await program.json(shapes.sessions, ['sessions'])
		const args = ['run', 'claude', '--headless', 'hello']
		const env = { PATH: program.folder }
		expect(expectRefusal(await program.run(args, env), 1)).toContain('npm install --global')
		expect(expectJsonRefusal(await program.run([...args, '--json'], env), 1)).toBe(
			'agent_not_installed',
		)
		expect(await program.json(shapes.sessions, ['sessions'])).toEqual(before)
	})

	test('what needs a terminal says what to give instead', async () => {
		expect(expectRefusal(await program.run(['run', 'claude']), 2)).toContain('--headless')
		expect(expectRefusal(await program.run(['approve', 'abcd']), 2)).toContain('--yes')
		expect(expectRefusal(await program.run(['deny', 'abcd']), 2)).toContain('--yes')
	})
})

describe('keys out of reach', () => {
	const noBus = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' }
	/** A home that has chosen nothing. */
	const unset = { STYRBY_VAULT: '', STYRBY_PASSPHRASE_FILE: '' }

	/** The program inside a session with a real Secret Service. */
	async function withSecretService(one: Program, locked: boolean, args: string[]): Promise<Ran> {
		const command = [...(locked ? ['--locked'] : []), process.execPath, launcher, ...args]
		const env = { ...one.env, ...unset, STYRBY_VAULT: '' }
		await using started = new Started(
			spawn('sh', [secretService, ...command], {
				cwd: one.cwd,
				env,
				stdio: ['ignore', 'pipe', 'pipe'],
			}),
		)
		const ran = await started.done
		// The bus and the prompter that finds no screen have their say too.
		const own = ran.stderr.match(/(?:styrby-tui: |\{"error").*\n/g) ?? []
		return { ...ran, stderr: own.join('') }
	}

	const linux = process.platform === 'linux'

	test.runIf(linux)('a keychain that works is used, and remembered', async () => {
		await using fresh = await Program.make({ untouched: true })
		expect((await withSecretService(fresh, false, ['sessions'])).code).toBe(0)
		const { account } = await fresh.json(shapes.status, ['status'])
		// The next session has another keychain, without our key: no account is made in place of the first.
		const sentence = expectRefusal(await withSecretService(fresh, false, ['sessions']), 3)
		expect(sentence).toContain('are not in this vault (keychain: Secret Service)')
		expect(account).not.toBeNull()
		expect((await fresh.json(shapes.status, ['status'])).account).toBe(account)
	})

	test.runIf(linux)('a locked keychain', async () => {
		await using fresh = await Program.make({ untouched: true })
		const sentence = expectRefusal(await withSecretService(fresh, true, ['sessions']), 3)
		expect(sentence).toContain('locked: unlock it')
		expect(await withSecretService(fresh, true, ['doctor'])).toMatchObject({
			code: 1,
			stdout: expect.stringMatching(/^✗ vault +keychain: The system keychain is locked/m),
		})
	})

	test.runIf(linux)('no keychain, and nobody to ask', async () => {
		await using fresh = await Program.make({ untouched: true })
		const env = { ...unset, ...noBus }
		const sentence = expectRefusal(await fresh.run(['sessions'], env), 3)
		expect(sentence).toContain('STYRBY_VAULT=file')
		expect(expectJsonRefusal(await fresh.run(['sessions', '--json'], env), 3)).toBe('no_vault')
		const wanted = { ...env, STYRBY_VAULT: 'keychain' }
		expect(expectJsonRefusal(await fresh.run(['sessions', '--json'], wanted), 3)).toBe(
			'keychain_unavailable',
		)
	})

	test('a vault that does not exist', async () => {
		const env = { STYRBY_VAULT: 'shoebox' }
		expect(expectRefusal(await program.run(['sessions'], env), 2)).toContain('STYRBY_VAULT')
	})

	test.each<[string, string | null, number, string]>([
		['a wrong passphrase', 'another phrase\n', 3, 'wrong_passphrase'],
		['no passphrase file', null, 3, 'no_passphrase'],
		['an empty passphrase file', '', 3, 'no_passphrase'],
		['two passphrases', 'one phrase\nand another\n', 3, 'no_passphrase'],
	])('%s', async (_, content, exitCode, code) => {
		const file = join(program.folder, 'other-passphrase')
		await rm(file, { force: true })
		if (content !== null) await writeFile(file, content)
		const env = { STYRBY_PASSPHRASE_FILE: file }
		const sentence = expectRefusal(await program.run(['sessions'], env), exitCode)
		if (content) for (const line of content.trim().split('\n')) expect(sentence).not.toContain(line)
		expect(expectJsonRefusal(await program.run(['sessions', '--json'], env), exitCode)).toBe(code)
		await expectNothingLost()
	})

	test('nobody to type the passphrase', async () => {
		const env = { STYRBY_PASSPHRASE_FILE: '' }
		expect(expectRefusal(await program.run(['sessions'], env), 3)).toContain(
			'STYRBY_PASSPHRASE_FILE',
		)
	})

	test('a new passphrase that is too short makes no key file', async () => {
		await using fresh = await Program.make({ untouched: true })
		await writeFile(join(fresh.folder, 'passphrase'), 'short\n')
		expectRefusal(await fresh.run(['sessions']), 2)
		expect(await fresh.json(shapes.status, ['status'])).toMatchObject({ account: null })
		await writeFile(join(fresh.folder, 'passphrase'), 'long enough now\n')
		expect((await fresh.run(['sessions'])).code).toBe(0)
	})
})

describe('backends', () => {
	test('a port that is taken is refused where it was asked for', async () => {
		await using fresh = await Program.make()
		await using taken = await occupy(0)
		const sentence = expectRefusal(await fresh.run(['serve', '--port', String(taken.port)]), 1)
		expect(sentence).toContain(`Port ${taken.port} is taken`)
	})

	test('a port of last time that is taken now is exchanged for another', async () => {
		const before = await statusEmbedded(program.home)
		await stopEmbedded(program.home)
		await using _ = await occupy(Number(new URL(before?.url ?? '').port))
		await expectNothingLost()
		const after = await statusEmbedded(program.home)
		expect(after?.url).not.toBe(before?.url)
	})

	test('a second one beside the one that runs', async () => {
		await using serving = program.start(['serve'])
		await until(() => serving.stdout.includes('serving at') || serving.result, serving)
		const sentence = expectRefusal(await program.run(['serve']), 1)
		expect(sentence).toContain(`process ${serving.child.pid}`)
		await expectNothingLost()
		serving.child.kill('SIGINT')
		expect((await serving.done).code).toBe(0)
	})

	test('of two that start at once, one serves and the other says so', async () => {
		await stopEmbedded(program.home)
		await using one = program.start(['serve'])
		await using other = program.start(['serve'])
		await until(() => one.result ?? other.result, one)
		const [loser, winner] = one.result ? [one, other] : [other, one]
		expect((await loser.done).code).toBe(1)
		expect(loser.stderr).toMatch(/^styrby-tui: The embedded backend .*\n$/)
		await until(() => winner.stdout.includes('serving at'), winner)
		await expectNothingLost()
		winner.child.kill('SIGINT')
		expect((await winner.done).code).toBe(0)
		expect(winner.stderr).toBe('')
	})

	test('of ten commands that start at once, all get the one backend', async () => {
		await stopEmbedded(program.home)
		const all = await Promise.all(
			Array.from({ length: 10 }, () => program.run(['sessions', '--json'])),
		)
		expect(all.map(({ code, stderr }) => [code, stderr])).toEqual(all.map(() => [0, '']))
		expect(new Set(all.map(({ stdout }) => stdout)).size).toBe(1)
	})
})

async function occupy(port: number): Promise<{ port: number } & AsyncDisposable> {
	// It takes connections and says nothing, as another program might.
	const server = createServer((socket) => {
		sockets.add(socket)
		socket.on('error', () => undefined)
		socket.on('close', () => sockets.delete(socket))
		socket.resume()
	})
	const sockets = new Set<Socket>()
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject)
		server.listen(port, '127.0.0.1', () => resolve())
	})
	const address = server.address()
	return {
		port: typeof address === 'object' && address ? address.port : port,
		[Symbol.asyncDispose]: async () => {
			const closed = new Promise((resolve) => server.close(resolve))
			for (const socket of sockets) socket.destroy()
			await closed
		},
	}
}

/** Whether this user may mount file systems: root in CI. */
function canMount(): boolean {
	if (!isRoot) return false
	try {
		execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], {
			stdio: 'ignore',
		})
		return true
	} catch {
		return false
	}
}

/** A file system of its own under the program's home. */
async function mounted(one: Program, size: string): Promise<AsyncDisposable & { folder: string }> {
	const folder = one.env.STYRBY_HOME ?? ''
	await mkdir(folder, { recursive: true, mode: 0o700 })
	await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder])
	return {
		folder,
		async [Symbol.asyncDispose]() {
			await stopEmbedded(one.home)
			await run('umount', [folder])
		},
	}
}

/** Fills a file system to its last byte. */
async function fill(file: string): Promise<void> {
	for (const size of [2 ** 20, 2 ** 10, 1]) {
		try {
			for (;;) await writeFile(file, Buffer.alloc(size), { flag: 'a' })
		} catch (error) {
			expect(error).toMatchObject({ code: 'ENOSPC' })
		}
	}
}

describe.runIf(canMount())('a disk', () => {
	test('that is full from the start', async () => {
		await using fresh = await Program.make()
		await using disk = await mounted(fresh, '4m')
		await fill(join(disk.folder, 'filler'))
		expect(expectRefusal(await fresh.run(['sessions']), 1)).toContain('is full: free some space')
		expect(expectJsonRefusal(await fresh.run(['sessions', '--json']), 1)).toBe('disk_full')
	})

	test('that fills up in the middle of an import', async () => {
		await using fresh = await Program.make()
		await using disk = await mounted(fresh, '120m')
		await using context = await fresh.context()
		const hosted = await Hosted.start(context, 'list the reeds')
		hosted.agent.text('There are twelve reeds.')
		await hosted.finish()

		const filler = join(disk.folder, 'filler')
		await fill(filler)
		expect(expectJsonRefusal(await fresh.run(['import', transcript, '--json']), 1)).toMatch(
			/^(disk_full|backend_full)$/,
		)
		// What was there can still be read, and is.
		await expectNothingLost(fresh, hosted.id)
		const doctor = await fresh.run(['doctor', '--json'])
		expect(doctor.code).toBe(1)
		expect(linesOf(shapes.checks, doctor.stdout)[0]?.checks).toContainEqual(
			expect.objectContaining({ id: 'disk', state: 'fail' }),
		)

		await rm(filler)
		await expectNothingLost(fresh, hosted.id)
		const [imported] = await fresh.lines(shapes.imported, ['import', transcript])
		const shown = await fresh.lines(shapes.message, ['show', imported?.session ?? ''])
		expect(shown.every(({ verified }) => verified)).toBe(true)
		expect((await fresh.run(['verify'])).code).toBe(0)
	})

	test('that is full while an agent works keeps the agent waiting, and loses nothing', async () => {
		await using fresh = await Program.make()
		await using disk = await mounted(fresh, '120m')
		await using context = await fresh.context()
		await using hosted = await Hosted.start(context, 'list the reeds')
		await until(async () => (await context.gateway.readSession(hosted.id)) !== null)
		const filler = join(disk.folder, 'filler')
		await fill(filler)
		const long = 'reed '.repeat(20_000)
		for (let count = 0; count < 20; count++) hosted.agent.text(`${count} ${long}`)
		await until(() => hosted.host.publisher.waiting > 0)
		await rm(filler)
		expect(await hosted.finish()).toMatchObject({ delivered: true, pending: 0 })
		const shown = await fresh.lines(shapes.message, ['show', hosted.id])
		const texts = shown.filter(({ kind }) => kind === 'agent_response')
		expect(texts.map(({ body }) => Number.parseInt(String(body?.text), 10))).toEqual(
			Array.from({ length: 20 }, (_, count) => count),
		)
		expect(shown.every(({ verified }) => verified)).toBe(true)
	})

	test('that is read-only', async () => {
		await using fresh = await Program.make()
		await using disk = await mounted(fresh, '120m')
		await run('mount', ['-o', 'remount,ro', disk.folder])
		expect(expectRefusal(await fresh.run(['sessions']), 1)).toContain('can not be written')
		expect(expectJsonRefusal(await fresh.run(['sessions', '--json']), 1)).toBe('home_not_writable')
		const doctor = await fresh.run(['doctor'])
		expect([doctor.code, doctor.stderr]).toEqual([1, ''])
		expect(doctor.stdout).toMatch(/^✗ home /m)

		await run('mount', ['-o', 'remount,rw', disk.folder])
		expect((await fresh.run(['sessions'])).code).toBe(0)
	})
})

describe.runIf(process.platform !== 'win32')('a home', () => {
	test.runIf(isRoot)('of another user is refused', async () => {
		await using fresh = await Program.make()
		const folder = join(fresh.env.STYRBY_HOME ?? '', 'config')
		await mkdir(folder, { recursive: true, mode: 0o700 })
		await chown(folder, 65_534, 65_534)
		expect(expectRefusal(await fresh.run(['sessions']), 4)).toContain('belongs to another user')
	})

	test('that others may change is refused, and works again once they may not', async () => {
		await chmod(program.home.data, 0o777)
		expect(expectRefusal(await program.run(['sessions']), 4)).toContain('chmod 700')
		expect(expectJsonRefusal(await program.run(['verify', '--json']), 4)).toBe('unsafe_folder')
		await chmod(program.home.data, 0o700)
		await expectNothingLost()
	})

	test('where a file is in the way', async () => {
		await using fresh = await Program.make({ untouched: true })
		await writeFile(fresh.env.STYRBY_HOME ?? '', 'not a folder')
		expect(expectRefusal(await fresh.run(['sessions']), 1)).toContain('a file is in the way')
	})
})

describe('a backend that was lost', () => {
	test('is told from one that is away, and nothing is made in its place', async () => {
		await stopEmbedded(program.home)
		const folder = join(program.home.data, 'backend')
		await rename(folder, `${folder}.away`)
		try {
			expect(expectRefusal(await program.run(['sessions']), 3)).toContain('styrby-tui doctor')
			const { code, stdout } = await program.run(['doctor', '--json'])
			expect(code).toBe(1)
			expect(linesOf(shapes.checks, stdout)[0]?.checks).toContainEqual(
				expect.objectContaining({
					id: 'account',
					state: 'fail',
					mend: expect.stringMatching(/^Bring .* back from a backup/),
				}),
			)
		} finally {
			await stopEmbedded(program.home)
			await rm(folder, { recursive: true })
			await rename(`${folder}.away`, folder)
		}
		await expectNothingLost()
	})
})

describe('a damaged file', () => {
	/** Damages a file of the home for a while. */
	async function damaged(file: string, content: string): Promise<AsyncDisposable> {
		const before = await readFile(file).catch(() => null)
		await writeFile(file, content, { mode: 0o600 })
		return {
			[Symbol.asyncDispose]: () => (before ? writeFile(file, before) : rm(file, { force: true })),
		}
	}

	test.each([
		['no JSON', '{"project":'],
		['a wrong value', '{"requestTimeoutMinutes": "soon"}'],
		['a list', '[]'],
		['bytes', '\u0000\u0001\u0002'],
	])('settings: %s', async (_, content) => {
		const file = join(program.home.config, 'config.json')
		{
			await using broken = await damaged(file, content)
			expect(broken).toBeDefined()
			const sentence = expectRefusal(await program.run(['sessions']), 1)
			expect(sentence).toContain(file)
			expect(expectJsonRefusal(await program.run(['status', '--json']), 1)).toBe('bad_settings')
		}
		await expectNothingLost()
	})

	test('every file of state, cut short: named, or made anew, and never taken for absent', async () => {
		const files = (await readdir(program.home.data)).filter((name) => name.endsWith('.json'))
		const run = (await readdir(program.home.run)).filter((name) => name.endsWith('.json'))
		const all = [
			...files.map((name) => join(program.home.data, name)),
			join(program.home.data, 'backend', 'access.json'),
			...run.map((name) => join(program.home.run, name)),
		]
		expect(all.map((file) => file.replace(/-?[0-9a-f]{8}-[-0-9a-f]{27}/, ''))).toEqual(
			expect.arrayContaining([
				join(program.home.data, 'device-log.json'),
				join(program.home.data, 'installation.json'),
				join(program.home.data, 'key-file.json'),
				join(program.home.data, 'own-device.json'),
			]),
		)
		for (const file of all) {
			{
				await using broken = await damaged(file, '{"v":1,"cut')
				expect(broken).toBeDefined()
				const ran = await program.run(['sessions'])
				if (ran.code !== 0) {
					expect([file, ran.stderr]).toEqual([file, expect.stringContaining(file)])
					expectRefusal(ran, file.endsWith('key-file.json') ? 3 : 1)
				}
			}
			await expectNothingLost()
		}
	})
})

describe('a command that is cut off', () => {
	test('by a reader that wants one line', async () => {
		const command = `"$0" "$1" show ${session} --raw | head -n 1 | wc -l`
		const { stdout, stderr } = await run(
			'bash',
			['-o', 'pipefail', '-c', command, process.execPath, launcher],
			{ env: program.env },
		)
		expect([stdout.trim(), stderr]).toEqual(['1', ''])
	})

	test.each([['permissions', '--wait', '--json'], ['permissions', '--watch', '--json'], ['demo']])(
		'by Ctrl-C: %s %s',
		async (...args) => {
			await using started = program.start(args)
			await (args[0] === 'demo'
				? until(() => started.stdout.length > 0, started)
				: until(async () => (await statusEmbedded(program.home)) !== null))
			// A command that has not come to its waiting yet is ended by the signal itself.
			started.child.kill('SIGINT')
			const { code, signal, stderr } = await started.done
			expect([130, null]).toContain(code)
			expect(code === null ? signal : 'SIGINT').toBe('SIGINT')
			expect(stderr).toBe('')
			await expectNothingLost()
		},
	)

	test('by Ctrl-C in the middle of an import: again, and all of it is there once', async () => {
		await using started = program.start(['import', transcript, '--json'])
		const file = join(program.home.data, 'agent-sessions.db')
		await until(
			async () => (await stat(file).catch(() => null)) !== null || started.result,
			started,
		)
		started.child.kill('SIGINT')
		await started.done
		const [imported] = await program.lines(shapes.imported, ['import', transcript])
		const [again] = await program.lines(shapes.imported, ['import', transcript])
		expect(again?.messages).toBe(0)
		const shown = await program.lines(shapes.message, ['show', imported?.session ?? ''])
		expect(shown.map(({ seq }) => seq)).toEqual([...new Set(shown.map(({ seq }) => seq))])
		expect(shown).toHaveLength(again?.skipped ?? -1)
		expect(shown.every(({ verified }) => verified)).toBe(true)
		await expectNothingLost()
	})
})
