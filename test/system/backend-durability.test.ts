/** What was acknowledged is there: after kills at any moment, on a full disk, with many at once. */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectGateway } from '../../source/backend/connect-gateway.ts'
import { signUpAnonymously } from '../../source/backend/sign-in.ts'
import { isAlive } from '../../source/config/is-alive.ts'
import {
	type ConnectOptions,
	connectEmbedded,
	statusEmbedded,
	stopEmbedded,
} from '../../source/server/discover.ts'
import { backendFolder } from '../../source/server/installation.ts'
import { messageRow, messageRows, newSession, type TestRow } from '../server/migrations/database.ts'
import { launcher, Started, until } from '../tools/lab.ts'

const run = promisify(execFile)
const program = join(import.meta.dirname, '../../dist/daemon.js')
const hasStrace = existsSync('/usr/bin/strace')

async function newHome(folder?: string): Promise<ConnectOptions> {
	const root = folder ?? (await mkdtemp(join(tmpdir(), 'styrby-durable-')))
	const home = { data: join(root, 'data'), run: join(root, 'run'), log: join(root, 'log') }
	for (const path of Object.values(home)) await mkdir(path, { recursive: true, mode: 0o700 })
	onTestFinished(async () => {
		await stopEmbedded(home)
		if (!folder) await rm(root, { recursive: true, force: true, maxRetries: 5 })
	})
	// The daemon as it is shipped.
	return { ...home, entry: new URL(`file://${program}`) }
}

/** A signed-in client that signs in once, and finds the backend again wherever it is. */
class Writer {
	readonly #home: ConnectOptions
	#token: string | null = null

	constructor(home: ConnectOptions) {
		this.#home = home
	}

	async client(): Promise<SupabaseClient> {
		const { url, anonKey } = await connectEmbedded(this.#home)
		this.#token ??= (await signUpAnonymously({ url, anonKey })).access_token
		const headers = { Authorization: `Bearer ${this.#token}` }
		const auth = { persistSession: false, autoRefreshToken: false }
		return createClient(url, anonKey, { global: { headers }, auth, db: { retry: false } })
	}
}

const pageSchema = v.object({
	rows: v.array(v.looseObject({ seq: v.number() })),
	more: v.boolean(),
})

async function readAll(client: SupabaseClient, session: string): Promise<{ seq: number }[]> {
	const rows: { seq: number }[] = []
	for (;;) {
		const args = { p_session: session, p_after: rows.at(-1)?.seq ?? 0 }
		const { data, error } = await client.rpc('read_messages', args)
		if (error) throw new Error(error.message)
		const page = v.parse(pageSchema, data)
		rows.push(...page.rows)
		if (page.rows.length === 0) return rows
	}
}

test.skipIf(!hasStrace)('every append is synced to the disk before it is answered', async () => {
	const { data, run: runFolder } = await newHome()
	const trace = join(data, '..', 'trace')
	const input = JSON.stringify({ data, run: runFolder, idleMs: null })
	const traced = ['-f', '-qq', '-e', 'trace=fsync,fdatasync', '-e', 'signal=none', '-o', trace]
	await using daemon = new Started(
		spawn('strace', [...traced, process.execPath, '--liftoff-only', program, input], {
			stdio: ['ignore', 'pipe', 'pipe'],
		}),
	)
	await until(async () => (await statusEmbedded({ data, run: runFolder })) ?? daemon.result, daemon)
	const found = await statusEmbedded({ data, run: runFolder })
	if (!found) throw new Error(daemon.stderr)
	const { access_token } = await signUpAnonymously(found)
	const client = createClient(found.url, found.anonKey, {
		global: { headers: { Authorization: `Bearer ${access_token}` } },
	})
	const session = newSession()
	await client.rpc('create_session', { p_session: session })
	const count = async () => (await readFile(trace, 'utf8')).split(/fsync\(|fdatasync\(/).length - 1
	// What a first start unpacked, before anybody was answered.
	const pgFolder = join(backendFolder(data), 'pg')
	const entries = await readdir(pgFolder, { recursive: true, withFileTypes: true })
	const files = entries.filter((entry) => entry.isFile()).length
	expect(files).toBeGreaterThan(200)
	expect(await count()).toBeGreaterThanOrEqual(files - 10)
	const appends = 40
	const before = await count()
	for (let seq = 1; seq <= appends; seq++) {
		const rows = [messageRow(session.id, seq)]
		const { error } = await client.rpc('append_messages', { p_session: session.id, p_rows: rows })
		expect(error).toBeNull()
	}
	expect((await count()) - before).toBeGreaterThanOrEqual(appends)
	await stopEmbedded({ data, run: runFolder })
	expect((await daemon.done).code).toBe(0)
})

describe('kill -9 of the daemon', () => {
	test('during appends, again and again: what was acknowledged is there, once', async () => {
		const home = await newHome()
		const writer = new Writer(home)
		const sessions = Array.from({ length: 3 }, () => newSession())
		const client = await writer.client()
		for (const one of sessions) {
			const { error } = await client.rpc('create_session', { p_session: one })
			expect(error).toBeNull()
		}
		const kills = 8
		let killed = 0
		let acknowledgedSinceKill = 0
		const sent = new Map<string, TestRow[]>()

		// As a host does: the same rows again until they are confirmed.
		const write = async ({ id }: { id: string }) => {
			const rows: TestRow[] = []
			sent.set(id, rows)
			while (killed < kills) {
				const from = rows.length + 1
				const batch = messageRows(id, from, from + Math.floor(Math.random() * 5), 1500)
				for (;;) {
					const now = await writer.client()
					const args = { p_session: id, p_rows: batch }
					const { data, error, status } = await now.rpc('append_messages', args)
					if (error === null) {
						expect(data).toEqual({ last_seq: batch.at(-1)?.seq })
						break
					}
					// Nobody there, or going down; never a refusal.
					expect([0, 503], `${status} ${error.code} ${error.message}`).toContain(status)
				}
				rows.push(...batch)
				acknowledgedSinceKill += batch.length
			}
		}
		const kill = async () => {
			while (killed < kills) {
				await until(() => acknowledgedSinceKill > 0)
				await sleep(Math.random() * 300)
				const { pid } = await connectEmbedded(home)
				process.kill(pid, 'SIGKILL')
				await until(() => !isAlive(pid))
				acknowledgedSinceKill = 0
				killed += 1
			}
		}
		await Promise.all([...sessions.map(write), kill()])

		const last = await writer.client()
		for (const { id } of sessions) {
			const rows = sent.get(id) ?? []
			expect(rows.length).toBeGreaterThan(kills)
			expect(await readAll(last, id)).toEqual(rows)
		}
	}, 300_000)

	test('during its very first start: the next command begins it anew', async () => {
		const home = await newHome()
		for (const moment of [150, 300, 450, 600, 900]) {
			const input = JSON.stringify({ data: home.data, run: home.run, idleMs: null })
			const args = ['--liftoff-only', program, input]
			const child = spawn(process.execPath, args, { stdio: 'ignore' })
			await sleep(moment * (0.8 + Math.random() * 0.4))
			child.kill('SIGKILL')
			await new Promise((resolve) => child.once('exit', resolve))
		}
		const client = await new Writer(home).client()
		expect(await client.rpc('list_sessions', { p_limit: 10 })).toMatchObject({ data: [] })
	}, 120_000)
})

const canMount = userInfo().uid === 0 && (await mounts())

/** Whether this machine lets us mount a small file system. */
async function mounts(): Promise<boolean> {
	const folder = await mkdtemp(join(tmpdir(), 'styrby-mount-'))
	try {
		await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
		await run('umount', [folder])
		return true
	} catch {
		return false
	} finally {
		await rm(folder, { recursive: true })
	}
}

async function smallDisk(size: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'styrby-disk-'))
	await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder])
	onTestFinished(async () => {
		await run('umount', [folder])
		await rm(folder, { recursive: true })
	})
	return folder
}

describe.skipIf(!canMount)('a disk', () => {
	test('that fills up: a clear error, and nothing acknowledged is lost', async () => {
		const folder = await smallDisk('100m')
		const home = await newHome(folder)
		const { url, anonKey } = await connectEmbedded(home)
		const tokens = await signUpAnonymously({ url, anonKey })
		const accessToken = async () => tokens.access_token
		const open = async () => {
			const found = await connectEmbedded(home)
			return connectGateway({ ...found, account: tokens.user_id, accessToken })
		}
		const session = { ...newSession(), agent: 'claude' as const, label: null }
		const stored: TestRow[] = []
		{
			await using gateway = await open()
			await gateway.createSession(session)
			let failed: unknown = null
			while (failed === null) {
				const rows = messageRows(session.id, stored.length + 1, stored.length + 8, 200_000)
				try {
					await gateway.appendMessages(session.id, rows)
					stored.push(...rows)
				} catch (error) {
					failed = error
				}
				expect(stored.length).toBeLessThan(1000)
			}
			expect(failed).toMatchObject({ code: 'backend_full' })
			expect(stored.length).toBeGreaterThan(8)
		}
		// Full: it may be read as long as it stands; it can not be started anew without a word.
		const full = await connectEmbedded(home).catch((error) => error)
		if (full instanceof Error) expect(full).toMatchObject({ code: 'disk_full' })

		await run('mount', ['-o', 'remount,size=300m', folder])
		await using gateway = await open()
		const rows = await gateway.readMessages(session.id, { after: 0, limit: 2000 })
		expect(rows.length).toBeGreaterThanOrEqual(stored.length)
		expect(rows.slice(0, stored.length)).toEqual(stored)
		const next = messageRows(session.id, rows.length + 1, rows.length + 1)
		expect(await gateway.appendMessages(session.id, next)).toBe(rows.length + 1)
	}, 180_000)

	test('that is full from the beginning: said, and begun anew when there is room', async () => {
		const folder = await smallDisk('12m')
		const home = await newHome(folder)
		const starting = connectEmbedded(home)
		await expect(starting).rejects.toMatchObject({ code: 'disk_full' })
		await run('mount', ['-o', 'remount,size=200m', folder])
		const client = await new Writer(home).client()
		expect(await client.rpc('list_sessions', { p_limit: 10 })).toMatchObject({ data: [] })
	}, 120_000)

	test('that can not be written: one sentence, and the documented exit code', async () => {
		const folder = await smallDisk('1m')
		await writeFile(join(folder, 'passphrase'), 'a phrase for tests\n', { mode: 0o600 })
		await run('mount', ['-o', 'remount,ro', folder])
		const env = { ...process.env, ...environment(folder) }
		for (const args of [['sessions'], ['serve']]) {
			await using command = new Started(
				spawn(process.execPath, [launcher, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
			)
			const { code, stdout, stderr } = await command.done
			expect([args[0], code, stdout]).toEqual([args[0], 1, ''])
			expect(stderr).toMatch(/^styrby-tui: \S+ can not be written: .*STYRBY_HOME.*\n$/)
		}
	})
})

function environment(folder: string): NodeJS.ProcessEnv {
	return {
		STYRBY_HOME: folder,
		STYRBY_VAULT: 'file',
		STYRBY_PASSPHRASE_FILE: join(folder, 'passphrase'),
	}
}

test('twenty commands at once on a new home: one backend, one account, and all succeed', async () => {
	const folder = await mkdtemp(join(tmpdir(), 'styrby-many-'))
	const home = { data: join(folder, 'data'), run: join(folder, 'run') }
	onTestFinished(async () => {
		await stopEmbedded(home)
		await rm(folder, { recursive: true, force: true, maxRetries: 5 })
	})
	await writeFile(join(folder, 'passphrase'), 'a phrase for tests\n', { mode: 0o600 })
	const env = { ...process.env, ...environment(folder) }
	const start = (args: string[]) =>
		new Started(
			spawn(process.execPath, [launcher, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
		)
	const commands = Array.from({ length: 20 }, () => start(['sessions', '--json']))
	for (const { done } of commands) {
		const { code, stdout, stderr } = await done
		expect([code, stderr]).toEqual([0, ''])
		expect(JSON.parse(stdout)).toEqual({ sessions: [] })
	}
	const { stdout: processes } = await run('ps', ['-eo', 'args='])
	const daemons = processes.split('\n').filter((line) => line.includes(JSON.stringify(home.data)))
	expect(daemons).toHaveLength(1)
	const [one, other] = await Promise.all([1, 2].map(() => start(['status', '--json']).done))
	const statusSchema = v.object({ account: v.string() })
	expect(v.parse(statusSchema, JSON.parse(one?.stdout ?? ''))).toEqual(
		v.parse(statusSchema, JSON.parse(other?.stdout ?? '')),
	)
}, 180_000)
