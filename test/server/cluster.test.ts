import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ClusterOptions, openCluster } from '../../source/server/cluster.ts'
import { applyMigrations, pendingMigrations } from '../../source/server/migrations.ts'
import { findTemplate, readSchema, type Schema } from '../../source/server/package-files.ts'
import { openPglite } from '../../source/server/pglite-engine.ts'
import { temporaryFolder } from './_folder.ts'

vi.setConfig({ testTimeout: 60_000 })

const schema = readSchema()
const log = () => undefined

async function open(folder: string, options: Partial<ClusterOptions> = {}) {
	const engine = await openCluster({ folder, schema, log, ...options })
	onTestFinished(() => engine.close())
	return engine
}

/** What an earlier, or a later, version of the program would bring. */
function version(migrations: Schema['migrations'], key: string): Schema {
	return { ...schema, migrations, key }
}

const extra = (n: number) => ({
	version: `2999010100000${n}`,
	name: `2999010100000${n}_extra.sql`,
	sql: `create table public.extra_${n} (n int)`,
})
const addUser = `insert into auth.users (email) values ('kept@example.org')`
const readUsers = 'select email from auth.users'

test('the build’s template is of this very schema, and nothing is pending in it', async () => {
	const template = findTemplate(schema)
	expect(template, 'run `npm run build`').not.toBeNull()
	const folder = await temporaryFolder()
	const engine = await openPglite({ folder: join(folder, 'pg'), template })
	onTestFinished(() => engine.close())
	expect(await pendingMigrations(engine, schema)).toEqual({
		...{ platform: [], migrations: [], empty: false },
	})
	// What every installation would share by mistake.
	for (const table of ['auth.users', 'auth.sessions', 'public.sessions', 'realtime.messages']) {
		expect(await engine.query(`select from ${table}`), table).toEqual([])
	}
})

test('a template of other parts is stale', () => {
	expect(findTemplate({ ...schema, key: 'another' })).toBeNull()
	const changed = schema.migrations.map((one) => ({ ...one, sql: `${one.sql}\n` }))
	expect(readSchema().key).toBe(schema.key)
	expect(findTemplate(version(changed, `${schema.key}x`))).toBeNull()
})

test('a cluster of the template and one of the migrations have the same schema', async () => {
	const dump = async (template: string | null) => {
		const engine = await open(await temporaryFolder(), { template })
		const rows = await engine.query(`
			select 'column ' || table_schema || '.' || table_name || '.' || column_name || ' ' || data_type as what
			from information_schema.columns
			where table_schema in ('public', 'styrby', 'auth', 'realtime')
			union all
			select 'function ' || p.oid::regprocedure::text || md5(p.prosrc) || coalesce(p.proacl::text, '')
			from pg_proc p where p.pronamespace::regnamespace::text in ('public', 'styrby', 'auth', 'realtime')
			union all
			select 'policy ' || schemaname || tablename || policyname || coalesce(qual, '') from pg_policies
			order by 1`)
		return rows.map((row) => row.what)
	}
	const made = await dump(null)
	expect(made.length).toBeGreaterThan(100)
	expect(await dump(findTemplate(schema))).toEqual(made)
})

test('a folder of an older version is brought up to date after a copy of it was made', async () => {
	const folder = await temporaryFolder()
	const older = version(schema.migrations.slice(0, -1), 'older')
	const engine = await open(folder, { schema: older, template: null })
	await engine.query(addUser)
	await engine.close()
	expect(existsSync(join(folder, 'backups'))).toBe(false)

	const newer = await open(folder)
	expect(await newer.query(readUsers)).toEqual([{ email: 'kept@example.org' }])
	expect(await pendingMigrations(newer, schema)).toMatchObject({ migrations: [] })
	await newer.close()
	const [backup = '', ...more] = await readdir(join(folder, 'backups'))
	expect(more).toEqual([])

	const copy = await openPglite({ folder: join(folder, 'backups', backup), template: null })
	onTestFinished(() => copy.close())
	expect(await copy.query(readUsers)).toEqual([{ email: 'kept@example.org' }])
	expect((await pendingMigrations(copy, schema)).migrations).toHaveLength(1)
})

test('two copies are kept', async () => {
	const folder = await temporaryFolder()
	await (await open(folder)).close()
	for (let n = 1; n <= 3; n++) {
		const migrations = [...schema.migrations, ...Array.from({ length: n }, (_, i) => extra(i))]
		const now = () => new Date(Date.UTC(2026, 0, n))
		await (await open(folder, { schema: version(migrations, `v${n}`), now })).close()
	}
	const backups = await readdir(join(folder, 'backups'))
	expect(backups.map((name) => name.slice(0, 10))).toEqual(['2026-01-02', '2026-01-03'])
})

test('a migration that fails leaves nothing of itself, and the data as it was', async () => {
	const folder = await temporaryFolder()
	const engine = await open(folder)
	await engine.query(addUser)
	await engine.close()
	const broken = { ...extra(1), sql: `${extra(1).sql}; delete from auth.users; select 1 / 0` }
	const next = version([...schema.migrations, broken], 'broken')
	await expect(open(folder, { schema: next })).rejects.toMatchObject({ code: 'migration_failed' })
	const after = await open(folder)
	expect(await after.query(readUsers)).toEqual([{ email: 'kept@example.org' }])
	expect(await after.query(`select to_regclass('public.extra_1') as found`)).toEqual([
		{ found: null },
	])
})

test('a folder of a newer version is refused, and not touched', async () => {
	const folder = await temporaryFolder()
	const newer = version([...schema.migrations, extra(1)], 'newer')
	await (await open(folder, { schema: newer, template: null })).close()
	await expect(open(folder)).rejects.toMatchObject({ code: 'backend_newer' })
	await (await open(folder, { schema: newer })).close()
	expect(existsSync(join(folder, 'backups'))).toBe(false)
})

test.each([
	['19', 'backend_newer'],
	['17', 'backend_format_old'],
	['nonsense', 'backend_format_old'],
])('a folder of PostgreSQL %s is refused as %s', async (major, code) => {
	const folder = await temporaryFolder()
	await mkdir(join(folder, 'pg'))
	await writeFile(join(folder, 'pg', 'PG_VERSION'), `${major}\n`)
	await expect(open(folder)).rejects.toMatchObject({ code })
	expect(await readFile(join(folder, 'pg', 'PG_VERSION'), 'utf8')).toBe(`${major}\n`)
})

test('a first start that was cut off is begun anew', async () => {
	const folder = await temporaryFolder()
	await mkdir(join(folder, 'pg', 'base'), { recursive: true })
	await writeFile(join(folder, 'pg', 'PG_VERSION'), '18\n')
	await writeFile(join(folder, 'creating'), '')
	const engine = await open(folder)
	expect(await engine.query(readUsers)).toEqual([])
	expect(existsSync(join(folder, 'creating'))).toBe(false)
})

test('a database that is damaged is said, and stays as it is', async () => {
	const folder = await temporaryFolder()
	await (await open(folder)).close()
	const control = join(folder, 'pg', 'global', 'pg_control')
	await writeFile(control, 'x'.repeat(8192))
	await expect(open(folder)).rejects.toMatchObject({ code: 'backend_corrupt' })
	expect(await readFile(control, 'utf8')).toBe('x'.repeat(8192))
})

test('Supabase’s own tool finds the migrations recorded as it records them', async () => {
	const engine = await openPglite({ folder: join(await temporaryFolder(), 'pg'), template: null })
	onTestFinished(() => engine.close())
	await applyMigrations(engine, schema, await pendingMigrations(engine, schema))
	const rows = await engine.query(
		'select version, name, statements[1] as sql from supabase_migrations.schema_migrations order by 1',
	)
	expect(rows).toEqual(
		schema.migrations.map(({ version: number, name, sql }) => ({
			version: number,
			name: name.slice(number.length + 1, -'.sql'.length),
			sql,
		})),
	)
})
