import { existsSync, readFileSync } from 'node:fs'
import { constants, cp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { homeError } from '../config/home-error.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import type { Engine } from './engine.ts'
import { DatabaseError, sqlState } from './engine.ts'
import { applyMigrations, pendingMigrations } from './migrations.ts'
import { findTemplate, type Schema } from './package-files.ts'
import { openPglite, type PgliteEngine } from './pglite-engine.ts'
import { syncFolder } from './sync-folder.ts'

/** Major version of the PostgreSQL that PGlite carries. */
const engineMajor = 18
const keptBackups = 2

export interface ClusterOptions {
	/** The backend's folder, held by the caller. */
	readonly folder: string
	readonly schema: Schema
	/** A prepared cluster for the first start; found by itself when it is not given. */
	readonly template?: string | null
	readonly log: (line: string) => void
	readonly now?: () => Date
}

/**
 * Opens the embedded database, makes it at the first start, and brings its schema up to date after
 * copying the folder. Throws `backend_newer`, `backend_format_old`, `migration_failed`, `disk_full`,
 * `home_not_writable`, `backend_corrupt`.
 */
export async function openCluster(options: ClusterOptions): Promise<PgliteEngine> {
	const { folder, schema, log } = options
	const pgFolder = join(folder, 'pg')
	const unfinished = join(folder, 'creating')
	// Whatever a first start left behind half-made was never used: nothing was served from it.
	if (existsSync(unfinished)) await removeFolder(pgFolder)
	checkFormat(pgFolder)
	const isNew = !existsSync(join(pgFolder, 'PG_VERSION'))
	const template = options.template === undefined ? findTemplate(schema) : options.template
	try {
		if (isNew) await writeFile(unfinished, '', { mode: 0o600 })
		let engine = await openPglite({ folder: pgFolder, template: isNew ? template : null, log })
		try {
			const pending = await pendingMigrations(engine, schema)
			if (pending.platform.length > 0 || pending.migrations.length > 0) {
				if (!isNew) {
					await engine.close()
					log(`copying the data before it is brought up to date`)
					await backUp(folder, options.now?.() ?? new Date())
					engine = await openPglite({ folder: pgFolder, template: null, log })
				}
				await applyMigrations(engine, schema, pending)
			}
		} catch (error) {
			await engine.close()
			throw error
		}
		if (isNew) {
			await syncFolder(pgFolder)
			await rm(unfinished, { force: true })
		}
		return engine
	} catch (error) {
		throw openError(error, pgFolder)
	}
}

/**
 * Brings the schema of a real PostgreSQL up to date; copying it before is its owner's affair. Throws
 * `database_is_supabase`, `backend_newer`, `migration_failed`.
 */
export async function updateDatabase(engine: Engine, schema: Schema): Promise<void> {
	const supabase = await engine.query(
		`select 1 from pg_catalog.pg_roles where rolname = 'supabase_auth_admin'`,
	)
	if (supabase.length > 0) {
		// What stands in for Supabase's own schemas must not get into them.
		throw new StyrbyError(
			'database_is_supabase',
			'This is the database of a Supabase project, which has a server of its own: apply supabase/migrations to it instead (docs/self-hosting.md), and serve another database.',
			{ exitCode: exit.usage },
		)
	}
	const pending = await pendingMigrations(engine, schema)
	if (pending.platform.length === 0 && pending.migrations.length === 0) return
	await applyMigrations(engine, schema, pending)
}

function checkFormat(pgFolder: string): void {
	const file = join(pgFolder, 'PG_VERSION')
	if (!existsSync(file)) return
	const major = Number(readFileSync(file, 'utf8').trim())
	if (major > engineMajor) {
		throw new StyrbyError(
			'backend_newer',
			'The data of the embedded backend was written by a newer styrby-tui; install that version here too.',
		)
	}
	if (major !== engineMajor) {
		throw new StyrbyError(
			'backend_format_old',
			`${pgFolder} holds data of PostgreSQL ${major || 'unknown'}, which this version can't read; open it with the styrby-tui that wrote it.`,
		)
	}
}

/** The folder must be closed. The copy has its name only once it is whole. */
async function backUp(folder: string, now: Date): Promise<void> {
	const backups = join(folder, 'backups')
	const name = now.toISOString().replaceAll(/[:.]/g, '-')
	const target = join(backups, name)
	await cp(join(folder, 'pg'), `${target}.part`, {
		recursive: true,
		errorOnExist: true,
		mode: constants.COPYFILE_FICLONE,
	})
	await rename(`${target}.part`, target)
	const all = (await readdir(backups)).filter((one) => !one.endsWith('.part')).sort()
	for (const old of all.slice(0, -keptBackups)) await removeFolder(join(backups, old))
}

async function removeFolder(path: string): Promise<void> {
	await rm(path, { recursive: true, force: true, maxRetries: 3 })
}

function openError(error: unknown, pgFolder: string): StyrbyError {
	if (error instanceof StyrbyError) return error
	if (!(error instanceof DatabaseError)) return homeError(error, pgFolder)
	if (error.code === sqlState.diskFull) return homeError({ code: 'ENOSPC' }, pgFolder)
	if (/read-only file system|permission denied|EROFS|EACCES/i.test(error.message)) {
		return homeError({ code: 'EACCES' }, pgFolder)
	}
	return new StyrbyError(
		'backend_corrupt',
		`The embedded database in ${pgFolder} can't be opened (${firstLine(error.message)}); restore a copy from the backups folder beside it, or move it away to start anew.`,
		{ cause: error },
	)
}

function firstLine(text: string): string {
	return text.split('\n', 1)[0]?.slice(0, 200) ?? ''
}
