/** The same backend on a real PostgreSQL: migrations, and `serve --database-url` as a person runs it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { statusEmbedded } from '../../source/server/discover.ts'
import { backendFolder } from '../../source/server/installation.ts'
import { openPostgres } from '../../source/server/postgres-engine.ts'
import { testAccess } from '../server/migrations/access.ts'
import {
	messageRow,
	migrate,
	newSession,
	type TestDatabase,
} from '../server/migrations/database.ts'
import { testDevices } from '../server/migrations/devices.ts'
import { engineDatabase } from '../server/migrations/engine-database.ts'
import { testKeys } from '../server/migrations/keys.ts'
import { testMail } from '../server/migrations/mail.ts'
import { testMessages } from '../server/migrations/messages.ts'
import { testPairings } from '../server/migrations/pairings.ts'
import { testSessions } from '../server/migrations/sessions.ts'
import { testSignIns } from '../server/migrations/sign-ins.ts'
import { testServer } from '../server/suite/index.ts'
import { call, signUp, type Target } from '../server/suite/target.ts'
import { launcher, Started, until } from '../tools/lab.ts'
import { hasPostgres, PostgresServer } from '../tools/postgres.ts'

describe.skipIf(!hasPostgres)('PostgreSQL 15', () => {
	let server: PostgresServer
	beforeAll(async () => {
		server = await PostgresServer.start()
	})
	afterAll(() => server[Symbol.asyncDispose]())

	describe('migrations', () => {
		let database: TestDatabase
		beforeAll(async () => {
			const databaseUrl = await server.database('migrations')
			database = engineDatabase(await openPostgres({ databaseUrl }))
			await migrate(database)
		})
		afterAll(() => database[Symbol.asyncDispose]())

		const opened = () => database
		testAccess(opened)
		testDevices(opened)
		testSessions(opened)
		testMessages(opened)
		testMail(opened)
		testKeys(opened)
		testPairings(opened)
		testSignIns(opened)
	})

	describe('serve --database-url', () => {
		let data: string
		let serving: Started
		let target: Target
		let owner: pg.Client
		beforeAll(async () => {
			data = await mkdtemp(join(tmpdir(), 'styrby-serve-'))
			const databaseUrl = await server.database('serving')
			serving = new Started(serve(data, databaseUrl))
			await until(() => serving.stdout.includes('serving at') || serving.result, serving)
			owner = new pg.Client({ connectionString: databaseUrl })
			owner.on('error', () => undefined)
			await owner.connect()
			const found = await statusEmbedded({ data, run: join(data, 'run') })
			if (!found) throw new Error(serving.stderr)
			target = {
				...found,
				folder: backendFolder(data),
				sql: async (text) => {
					await owner.query(text)
				},
			}
		})
		afterAll(async () => {
			await owner.end()
			serving.child.kill('SIGTERM')
			const { code } = await serving.done
			await rm(data, { recursive: true })
			expect(code).toBe(0)
		})

		testServer(() => target)

		test('a database that goes away is said, and used again when it is back', async () => {
			const { client } = await signUp(target)
			const session = newSession()
			await call(client, 'create_session', { p_session: session })
			await client.realtime.setAuth()
			const heard: unknown[] = []
			const channel = client.channel(`session:${session.id}`, { config: { private: true } })
			channel.on('broadcast', { event: '*' }, ({ payload }) => heard.push(payload))
			await new Promise<void>((resolve) => {
				channel.subscribe((state) => state === 'SUBSCRIBED' && resolve())
			})
			await server.down()
			const { error, status } = await client.rpc('read_session', { p_session: session.id })
			expect(status).toBe(503)
			expect(error?.code).toMatch(/^(08|57)/)
			// Long enough for several tries to come back in vain.
			await sleep(4_000)
			await server.up()
			await until(async () => (await client.rpc('list_machine_keys')).error === null)
			// What is announced while nobody listens is lost; the listener comes back by itself.
			let seq = 0
			await until(async () => {
				seq += 1
				const rows = [messageRow(session.id, seq)]
				await call(client, 'append_messages', { p_session: session.id, p_rows: rows })
				return heard.length > 0
			})
			const rows = [messageRow(session.id, seq + 1)]
			await call(client, 'append_messages', { p_session: session.id, p_rows: rows })
			const heardOf = () => heard.map((payload) => Reflect.get(Object(payload), 'from'))
			await until(() => heardOf().includes(seq + 1))
			expect(heardOf()).toEqual([...new Set(heardOf())])
		})
	})

	test('the database of a Supabase project is refused, and nothing is put into it', async () => {
		const databaseUrl = await server.database('project')
		await server.sql('create role supabase_auth_admin')
		const data = await mkdtemp(join(tmpdir(), 'styrby-serve-'))
		await using serving = new Started(serve(data, databaseUrl))
		const { code, stderr } = await serving.done
		await server.sql('drop role supabase_auth_admin')
		await rm(data, { recursive: true })
		expect(stderr).toMatch(/^styrby-tui: This is the database of a Supabase project, .*\n$/)
		expect(code).toBe(2)
		const client = new pg.Client({ connectionString: databaseUrl })
		await client.connect()
		const { rows } = await client.query(
			`select nspname from pg_namespace where nspname ~ '^(auth|styrby)'`,
		)
		await client.end()
		expect(rows).toEqual([])
	})

	test('a database that does not answer: one sentence, exit code 5', async () => {
		const data = await mkdtemp(join(tmpdir(), 'styrby-serve-'))
		await using nobody = new Started(serve(data, 'postgres://nobody@127.0.0.1:1/none'))
		const { code, stderr } = await nobody.done
		await rm(data, { recursive: true })
		expect(stderr).toMatch(/^styrby-tui: The PostgreSQL server does not answer .*\n$/)
		expect(code).toBe(5)
	})
})

function serve(data: string, databaseUrl: string): ChildProcess {
	const args = ['serve', '--data', data, '--database-url', databaseUrl]
	return spawn(process.execPath, [launcher, ...args], {
		env: { ...process.env, STYRBY_HOME: data },
		stdio: ['ignore', 'pipe', 'pipe'],
	})
}
