import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'
import { pack } from 'tar-stream'
import { applyMigrations, pendingMigrations } from './migrations.ts'
import type { Schema } from './package-files.ts'
import { openPglite } from './pglite-engine.ts'

/**
 * Makes a cluster with the whole schema in `folder` and returns it as a gzipped tar. What every
 * installation would share by mistake is not in it: no account, no key, no secret. It is packed after it
 * was shut down: a copy of a running cluster would be recovered, and all of it synced twice, at each
 * first start.
 */
export async function makeTemplate(folder: string, schema: Schema): Promise<Uint8Array> {
	const engine = await openPglite({ folder, template: null })
	await applyMigrations(engine, schema, await pendingMigrations(engine, schema))
	await engine.close()
	const pg = await PGlite.create({ dataDir: folder })
	// Databases that nobody opens: two thirds of the files to unpack and to sync at a first start.
	await pg.exec('update pg_database set datistemplate = false')
	await pg.exec('drop database template0')
	await pg.exec('drop database template1')
	await pg.exec('vacuum analyze')
	await pg.exec('checkpoint')
	await pg.close()
	return await packFolder(folder)
}

/** As the engine reads it: names begin with a slash, folders come before what is in them. */
async function packFolder(folder: string): Promise<Uint8Array> {
	const archive = pack()
	const packed = buffer(archive.pipe(createGzip({ level: 9 })))
	const entries = await readdir(folder, { recursive: true, withFileTypes: true })
	const names = entries.map((entry) => ({
		name: join(entry.parentPath, entry.name).slice(folder.length),
		type: entry.isDirectory() ? ('directory' as const) : ('file' as const),
	}))
	const mtime = new Date(0)
	for (const { name, type } of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
		if (name === '/postmaster.pid') continue
		if (type === 'directory') archive.entry({ name, type, mode: 0o700, mtime })
		else archive.entry({ name, mode: 0o600, mtime }, await readFile(join(folder, name)))
	}
	archive.finalize()
	return await packed
}
