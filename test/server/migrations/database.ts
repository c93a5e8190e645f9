/** What the migration tests need of a database, whichever it is. */
import { randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { AppendRow } from '../../../source/backend/gateway.ts'

export type Row = Record<string, unknown>

export interface Step {
	sql: string
	params?: readonly unknown[]
}

export interface TestDatabase extends AsyncDisposable {
	/** Runs the steps in one transaction as the owner; rows of the last. Several may run at once. */
	run(steps: readonly Step[]): Promise<Row[]>
	/** Runs a file of statements. */
	script(sql: string): Promise<void>
}

const root = new URL('../../../', import.meta.url)

export function sqlFile(path: string): string {
	return readFileSync(new URL(path, root), 'utf8')
}

export function migrationFiles(): { name: string; sql: string }[] {
	return readdirSync(new URL('supabase/migrations', root))
		.filter((name) => name.endsWith('.sql'))
		.sort()
		.map((name) => ({ name, sql: sqlFile(`supabase/migrations/${name}`) }))
}

/** Platform (twice: it may be applied again) and migrations. */
export async function migrate(database: TestDatabase): Promise<void> {
	await database.script(sqlFile('source/server/platform.sql'))
	await database.script(sqlFile('source/server/platform.sql'))
	for (const { sql } of migrationFiles()) await database.script(sql)
}

/** Someone who is signed in (or, with `null`, is not), as the server acts for them. */
export class Caller {
	readonly id: string | null
	readonly #database: TestDatabase
	readonly #session: string | null

	/** `session`: which of the account's sign-ins this is. */
	constructor(database: TestDatabase, id: string | null, session: string | null = null) {
		this.#database = database
		this.#session = session
		this.id = id
	}

	/** The same account, signed in once more. */
	signedIn(session: string = randomUUID()): Caller {
		return new Caller(this.#database, this.id, session)
	}

	static async signUp(database: TestDatabase): Promise<Caller> {
		const id = randomUUID()
		await database.run([{ sql: 'insert into auth.users (id) values ($1)', params: [id] }])
		return new Caller(database, id)
	}

	query(sql: string, params: readonly unknown[] = [], topic = ''): Promise<Row[]> {
		const role = this.id === null ? 'anon' : 'authenticated'
		const claims =
			this.id === null
				? { role }
				: { sub: this.id, role, ...(this.#session ? { session_id: this.#session } : {}) }
		return this.#database.run([
			{
				sql: `select set_config('request.jwt.claims', $1, true), set_config('realtime.topic', $2, true),
					set_config('role', $3, true)`,
				params: [JSON.stringify(claims), topic, role],
			},
			{ sql, params },
		])
	}

	/** Calls a function of the API with named arguments. */
	async call(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
		const names = Object.keys(args)
		const passed = names.map((argument, index) => `${argument} => $${index + 1}`).join(', ')
		const params = Object.values(args).map((value) =>
			typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
		)
		const [row] = await this.query(
			`select to_json(result) as answer from public.${name}(${passed}) as result`,
			params,
		)
		return row?.answer
	}
}

/** The stable code of a failure of ours, or the SQLSTATE of another; `null` when it went well. */
export async function failure(work: Promise<unknown>): Promise<string | null> {
	try {
		await work
		return null
	} catch (error) {
		const { code, message } = error as { code: string; message: string }
		return code === 'P0001' ? message : code
	}
}

/** The detail of a failure of ours. */
export async function detail(work: Promise<unknown>): Promise<unknown> {
	try {
		await work
		return null
	} catch (error) {
		return JSON.parse((error as { detail?: string }).detail ?? 'null')
	}
}

/** Broadcasts of a topic, oldest first, without the ids that are added to them. */
export async function broadcasts(
	database: TestDatabase,
	topic: string,
): Promise<{ event: string; payload: Record<string, unknown> }[]> {
	const rows = await database.run([
		{
			sql: `select event, payload - 'id' as payload, private, extension from realtime.messages
				where topic = $1 order by inserted_at, ctid`,
			params: [topic],
		},
	])
	return rows.map((row) => {
		if (row.private !== true || row.extension !== 'broadcast') throw new Error('not private')
		return { event: String(row.event), payload: row.payload as Record<string, unknown> }
	})
}

export const base64 = (size: number): string => randomBytes(size).toString('base64')
export { randomUUID }

export function epochRow(scope: string, epoch = 0) {
	return { scope, epoch, record: base64(200), signature: base64(64) }
}

export function grantRow(scope: string, epoch: number, to: string, by: string) {
	const created_at = '2026-03-04T05:06:07.890Z'
	return { scope, epoch, to, by, nonce: base64(24), ciphertext: base64(272), created_at }
}

/** A session with its first key, ready to be created. */
export function newSession(id: string = randomUUID(), started_at = '2026-03-04T05:06:07.000Z') {
	const host = randomUUID()
	const scope = `session:${id}`
	return {
		id,
		agent: 'claude',
		host,
		project: 'orchard' as string | null,
		label: { epoch: 0, nonce: base64(24), ciphertext: base64(272) } as object | null,
		started_at,
		epoch: epochRow(scope),
		grants: [grantRow(scope, 0, host, host)],
	}
}

export async function createSession(caller: Caller, started_at?: string): Promise<string> {
	const session = newSession(randomUUID(), started_at)
	await caller.call('create_session', { p_session: session })
	return session.id
}

export type TestRow = AppendRow & Record<string, unknown>

export function messageRow(session: string, seq: number, size = 272): TestRow {
	return {
		session_id: session,
		seq,
		epoch: 0,
		nonce: base64(24),
		ciphertext: base64(size),
		signature: base64(64),
		created_at: new Date(Date.UTC(2026, 2, 4, 6, 0, seq)).toISOString(),
		input_tokens: 0,
		output_tokens: 0,
		cache_read_tokens: 0,
		cache_write_tokens: 0,
		cost_usd: 0,
	}
}

export function messageRows(session: string, from: number, to: number, size = 272): TestRow[] {
	return Array.from({ length: to - from + 1 }, (_, index) =>
		messageRow(session, from + index, size),
	)
}

export function append(caller: Caller, session: string, rows: unknown): Promise<unknown> {
	return caller.call('append_messages', { p_session: session, p_rows: rows })
}

export async function readSession(caller: Caller, session: string): Promise<Row> {
	return (await caller.call('read_session', { p_session: session })) as Row
}
