import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { StyrbyError } from '../protocol/errors.ts'

/** The SQL that makes up a backend's schema. */
export interface Schema {
	/** What stands in for Supabase's own: may be applied again at any time. */
	readonly platform: readonly SqlFile[]
	/** In order; each is applied once. */
	readonly migrations: readonly Migration[]
	/** SHA-256 of all of it and of the engine's version, hex: a template made of other parts is stale. */
	readonly key: string
}

export interface SqlFile {
	readonly name: string
	readonly sql: string
}

export interface Migration extends SqlFile {
	/** The digits before the first underscore of the file's name. */
	readonly version: string
}

/** To be raised when `makeTemplate` makes another cluster of the same parts. */
const templateRecipe = 2

const packageSchema = v.object({ name: v.string(), version: v.string() })

/** Folder of this package, from its sources and from its bundle alike. */
export function packageRoot(from = import.meta.url): string {
	let folder = dirname(fileURLToPath(from))
	while (true) {
		const file = join(folder, 'package.json')
		if (existsSync(file) && readPackage(file)?.name === 'styrby-tui') return folder
		const parent = dirname(folder)
		if (parent === folder) throw broken('package.json')
		folder = parent
	}
}

export function readSchema(root = packageRoot()): Schema {
	const platform = ['platform.sql', 'auth.sql'].map((name) => readSql(ownFile(name)))
	const folder = join(root, 'supabase', 'migrations')
	if (!existsSync(folder)) throw broken(folder)
	const migrations = readdirSync(folder)
		.filter((name) => name.endsWith('.sql'))
		.sort()
		.map((name) => ({ ...readSql(join(folder, name)), version: name.split('_')[0] ?? name }))
	const hash = createHash('sha256').update(`pglite ${engineVersion()} template ${templateRecipe}\0`)
	for (const { name, sql } of [...platform, ...migrations]) hash.update(`${name}\0${sql}\0`)
	return { platform, migrations, key: hash.digest('hex') }
}

/** The prepared cluster that the build made of this very schema, or null. */
export function findTemplate(schema: Schema, root = packageRoot()): string | null {
	const template = join(root, 'dist', 'template.tar.gz')
	const keyFile = join(root, 'dist', 'template.key')
	if (!existsSync(template) || !existsSync(keyFile)) return null
	return readFileSync(keyFile, 'utf8').trim() === schema.key ? template : null
}

/** The psql script of the build that applies what a Supabase project lacks of the migrations. */
export function applyMigrationsFile(root = packageRoot()): string {
	return join(root, 'dist', 'apply-migrations.sql')
}

function engineVersion(): string {
	const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
	return readPackage(join(dirname(entry), '..', 'package.json'))?.version ?? 'unknown'
}

/** SQL beside this file: in the source folder, and where the build put it beside the bundle. */
function ownFile(name: string): string {
	for (const folder of ['./', './server/', '../']) {
		const file = fileURLToPath(new URL(`${folder}${name}`, import.meta.url))
		if (existsSync(file)) return file
	}
	throw broken(name)
}

function readSql(file: string): SqlFile {
	return { name: basename(file), sql: readFileSync(file, 'utf8') }
}

function readPackage(file: string): v.InferOutput<typeof packageSchema> | null {
	const parsed = v.safeParse(packageSchema, JSON.parse(readFileSync(file, 'utf8')))
	return parsed.success ? parsed.output : null
}

function broken(what: string): StyrbyError {
	return new StyrbyError(
		'broken_installation',
		`The installation lacks ${basename(what)}; install styrby-tui again.`,
	)
}
