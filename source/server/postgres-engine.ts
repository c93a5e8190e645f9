import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Engine, Row, Statement, TxOptions } from './engine.ts'
import { DatabaseError, defaultTimeLimitMs, faultOf, sqlState } from './engine.ts'

export interface PostgresOptions {
	/** `postgres://user:password@host:port/database`. */
	readonly databaseUrl: string
	readonly log?: (line: string) => void
	/** Connections at most; default 10. */
	readonly connections?: number
}

/** Values leave as PostgreSQL prints them, as with the embedded engine. */
const types = { getTypeParser: () => (value: string) => value }

const retryListenMs = 1000

/** Any real PostgreSQL, 15 or newer. Throws `DatabaseError` when it can't be reached. */
export async function openPostgres(options: PostgresOptions): Promise<Engine> {
	const engine = new PostgresEngine(options)
	await engine.query('select 1')
	return engine
}

class PostgresEngine implements Engine {
	readonly kind = 'postgres'
	readonly #options: PostgresOptions
	readonly #pool: pg.Pool
	readonly #listeners = new Map<string, ((payload: string) => void)[]>()
	#listening: Promise<pg.Client> | null = null
	#closed = false

	constructor(options: PostgresOptions) {
		this.#options = options
		this.#pool = new pg.Pool({
			connectionString: options.databaseUrl,
			max: options.connections ?? 10,
			connectionTimeoutMillis: 10_000,
			types,
		})
		this.#pool.on('error', (error) => options.log?.(`lost a database connection: ${error.message}`))
	}

	async tx(statements: readonly Statement[], options: TxOptions = {}): Promise<Row[][]> {
		const client = await this.#connect()
		let broken: Error | undefined
		try {
			const limit = Math.trunc(options.timeLimitMs ?? defaultTimeLimitMs)
			await client.query(`begin; set local statement_timeout = ${limit}`)
			const rows: Row[][] = []
			for (const statement of statements) rows.push(await runOne(client, statement))
			await client.query(options.rollback ? 'rollback' : 'commit')
			return rows
		} catch (error) {
			await client.query('rollback').catch((second: Error) => {
				broken = second
			})
			throw new DatabaseError(faultOf(error))
		} finally {
			client.release(broken)
		}
	}

	async query(
		sql: string,
		params: readonly (string | null)[] = [],
		options: TxOptions = {},
	): Promise<Row[]> {
		const [rows] = await this.tx([{ sql, params }], options)
		return rows ?? []
	}

	async listen(channel: string, listener: (payload: string) => void): Promise<void> {
		const known = this.#listeners.get(channel)
		if (known !== undefined) {
			known.push(listener)
			return
		}
		this.#listeners.set(channel, [listener])
		this.#listening ??= this.#openListener()
		const client = await this.#listening
		await client.query(`listen ${client.escapeIdentifier(channel)}`)
	}

	async close(): Promise<void> {
		if (this.#closed) return
		this.#closed = true
		const listener = await this.#listening?.catch(() => null)
		await listener?.end()
		await this.#pool.end()
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close()
	}

	async #connect(): Promise<pg.PoolClient> {
		try {
			return await this.#pool.connect()
		} catch (error) {
			const fault = faultOf(error)
			throw new DatabaseError({
				...fault,
				code: fault.code === sqlState.internal ? '08006' : fault.code,
				message: `PostgreSQL can't be reached: ${fault.message}`,
			})
		}
	}

	async #openListener(): Promise<pg.Client> {
		const client = new pg.Client({
			connectionString: this.#options.databaseUrl,
			connectionTimeoutMillis: 10_000,
			keepAlive: true,
			types,
		})
		client.on('notification', ({ channel, payload }) => {
			for (const listener of this.#listeners.get(channel) ?? []) listener(payload ?? '')
		})
		client.on('error', (error) => this.#options.log?.(`lost the listener: ${error.message}`))
		// One that never got so far ends as well; whoever tries to open it tries again.
		let listens = false
		client.on('end', () => {
			if (listens && !this.#closed) this.#listening = this.#reopenListener()
		})
		try {
			await client.connect()
			for (const channel of this.#listeners.keys()) {
				await client.query(`listen ${client.escapeIdentifier(channel)}`)
			}
		} catch (error) {
			await client.end().catch(() => undefined)
			throw error
		}
		listens = true
		return client
	}

	/** What is notified meanwhile is lost; followers close such gaps by pulling. */
	async #reopenListener(): Promise<pg.Client> {
		while (true) {
			await sleep(retryListenMs)
			if (this.#closed) throw new DatabaseError(faultOf(new Error('closed')))
			try {
				return await this.#openListener()
			} catch (error) {
				this.#options.log?.(`the listener is not back: ${faultOf(error).message}`)
			}
		}
	}
}

async function runOne(client: pg.PoolClient, statement: Statement): Promise<Row[]> {
	if (statement.params === undefined) {
		const results: unknown = await client.query(statement.sql)
		const last: unknown = Array.isArray(results) ? results.at(-1) : results
		return rowsOf(last)
	}
	return rowsOf(await client.query(statement.sql, [...statement.params]))
}

function rowsOf(result: unknown): Row[] {
	const rows: unknown =
		typeof result === 'object' && result !== null ? Reflect.get(result, 'rows') : []
	return Array.isArray(rows) ? rows : []
}
