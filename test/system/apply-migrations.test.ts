/** The line that an error gives for a project without our functions, run as a person runs it. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { migrationHelp } from '../../source/commands/migration-help.ts'
import { applyMigrationsFile, packageRoot, readSchema } from '../../source/server/package-files.ts'
import { hasPostgres, PostgresServer } from '../tools/postgres.ts'

const run = promisify(execFile)
const schema = readSchema()

describe.skipIf(!hasPostgres)('the line that applies the migrations', () => {
	let server: PostgresServer
	beforeAll(async () => {
		server = await PostgresServer.start()
	})
	afterAll(() => server[Symbol.asyncDispose]())

	let projects = 0

	/** A database as a project has it before us: Supabase's own parts and nothing else. */
	async function project(): Promise<{ url: string; client: pg.Client }> {
		const url = await server.database(`project_${++projects}`)
		const client = new pg.Client({ connectionString: url })
		await client.connect()
		onTestFinished(() => client.end())
		for (const { sql } of schema.platform) await client.query(sql)
		return { url, client }
	}

	const apply = (line: string, url: string) =>
		run('sh', ['-c', line], { env: { ...process.env, DATABASE_URL: url } })

	const lineOf = (help: string) => /psql .*(?= \(DATABASE_URL)/.exec(help)?.[0] ?? ''
	const line = lineOf(migrationHelp('supabase'))

	async function applied(client: pg.Client): Promise<unknown[]> {
		const { rows } = await client.query(
			'select version, name from supabase_migrations.schema_migrations order by version',
		)
		return rows
	}

	const all = schema.migrations.map(({ name, version }) => ({
		version,
		name: name.slice(version.length + 1).replace('.sql', ''),
	}))

	test('applies all to an empty project, once', async () => {
		const { url, client } = await project()
		await apply(line, url)
		expect(await applied(client)).toEqual(all)
		await client.query('select public.schema_version()')
		const { stdout } = await apply(line, url)
		expect(stdout).not.toContain('applying')
		expect(await applied(client)).toEqual(all)
	})

	test('applies what a project lacks that has older ones from Supabase’s own tool', async () => {
		const { url, client } = await project()
		await client.query(`create schema supabase_migrations;
			create table supabase_migrations.schema_migrations
				(version text not null primary key, statements text[], name text)`)
		const old = schema.migrations.slice(0, 3)
		for (const { sql, version, name } of old) {
			await client.query(sql)
			await client.query(
				'insert into supabase_migrations.schema_migrations values ($1, array[$2], $3)',
				[version, sql, name.slice(version.length + 1).replace('.sql', '')],
			)
		}
		const { stdout } = await apply(line, url)
		expect(stdout.match(/^applying /gm)).toHaveLength(all.length - old.length)
		expect(await applied(client)).toEqual(all)
		await client.query('select public.schema_version()')
	})

	test('keeps nothing where one of them fails', async () => {
		const { url, client } = await project()
		// In the way of one of the last.
		await client.query('create table public.mail (id integer)')
		await expect(apply(line, url)).rejects.toThrow()
		const { rows } = await client.query(
			`select to_regprocedure('public.schema_version()') as there`,
		)
		expect(rows).toEqual([{ there: null }])
	})

	test('works from a folder whose name has to be quoted', async () => {
		const folder = await mkdtemp(join(tmpdir(), "styrby it's a "))
		onTestFinished(() => rm(folder, { recursive: true }))
		await symlink(join(packageRoot(), 'dist'), join(folder, 'dist'))
		await symlink(join(packageRoot(), 'supabase'), join(folder, 'supabase'))
		const { url, client } = await project()
		await apply(lineOf(migrationHelp('supabase', applyMigrationsFile(folder))), url)
		expect(await applied(client)).toEqual(all)
	})
})

test('the script of the build names every migration, in order', async () => {
	const names = (await readdir(join(packageRoot(), 'supabase/migrations'))).sort()
	const text = await readFile(applyMigrationsFile(), 'utf8')
	expect([...text.matchAll(/^\\ir .*\/(.*)$/gm)].map(([, name]) => name)).toEqual(names)
})
