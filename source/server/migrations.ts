import { createHash } from 'node:crypto'
import { StyrbyError } from '../protocol/errors.ts'
import type { Engine, Statement } from './engine.ts'
import type { Migration, Schema } from './package-files.ts'

const migrationLimitMs = 10 * 60_000

/** Same table and columns as the Supabase CLI keeps, so that both tools agree on what was applied. */
const bookkeeping = `
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
	version text not null primary key,
	statements text[],
	name text
);
create table if not exists supabase_migrations.platform (
	name text not null primary key,
	sha256 text not null
);`

export interface Pending {
	/** Names of the platform files that changed or are new. */
	readonly platform: readonly string[]
	readonly migrations: readonly Migration[]
	/** Whether nothing was ever applied here. */
	readonly empty: boolean
}

/**
 * What this program would have to apply. Throws `backend_newer` when something was applied that this
 * program does not know: an older program must not touch the data of a newer one.
 */
export async function pendingMigrations(engine: Engine, schema: Schema): Promise<Pending> {
	const [known] = await engine.query(
		`select to_regclass('supabase_migrations.platform') is not null as there`,
	)
	if (known?.there !== 't') {
		return {
			platform: schema.platform.map((file) => file.name),
			migrations: schema.migrations,
			empty: true,
		}
	}
	const applied = await engine.query('select version from supabase_migrations.schema_migrations')
	const versions = new Set(applied.map((row) => row.version))
	const ours = new Set<string | null>(schema.migrations.map((migration) => migration.version))
	if ([...versions].some((version) => version !== undefined && !ours.has(version))) {
		throw new StyrbyError(
			'backend_newer',
			'The data of the embedded backend was written by a newer styrby-tui; install that version here too.',
		)
	}
	const rows = await engine.query('select name, sha256 from supabase_migrations.platform')
	const hashes = new Map(rows.map((row) => [row.name, row.sha256]))
	return {
		platform: schema.platform
			.filter((file) => hashes.get(file.name) !== digest(file.sql))
			.map((file) => file.name),
		migrations: schema.migrations.filter((migration) => !versions.has(migration.version)),
		empty: versions.size === 0,
	}
}

/** Applies what is pending, each file in a transaction of its own. Throws `migration_failed`. */
export async function applyMigrations(
	engine: Engine,
	schema: Schema,
	pending: Pending,
): Promise<void> {
	await engine.tx([{ sql: bookkeeping }])
	for (const file of schema.platform) {
		if (!pending.platform.includes(file.name)) continue
		await applyOne(engine, file.name, [
			{ sql: file.sql },
			{
				sql: `insert into supabase_migrations.platform (name, sha256) values ($1::text, $2::text)
					on conflict (name) do update set sha256 = excluded.sha256`,
				params: [file.name, digest(file.sql)],
			},
		])
	}
	for (const migration of pending.migrations) {
		await applyOne(engine, migration.name, [
			{ sql: migration.sql },
			{
				sql: `insert into supabase_migrations.schema_migrations (version, name, statements)
					values ($1::text, $2::text, array[$3::text])`,
				params: [migration.version, title(migration), migration.sql],
			},
		])
	}
}

async function applyOne(
	engine: Engine,
	name: string,
	statements: readonly Statement[],
): Promise<void> {
	try {
		await engine.tx(statements, { timeLimitMs: migrationLimitMs })
	} catch (error) {
		throw new StyrbyError(
			'migration_failed',
			`The embedded backend could not apply ${name} (${reason(error)}); nothing of it was kept.`,
			{ cause: error },
		)
	}
}

function reason(error: unknown): string {
	return error instanceof Error ? error.message : String(error)
}

function title(migration: Migration): string {
	return migration.name.slice(migration.version.length + 1).replace(/\.sql$/, '')
}

function digest(sql: string): string {
	return createHash('sha256').update(sql).digest('hex')
}
