import { PGlite } from '@electric-sql/pglite'
import { applyMigrations, pendingMigrations } from './migrations.ts'
import type { Schema } from './package-files.ts'
import { openPglite } from './pglite-engine.ts'

/**
 * Makes a cluster with the whole schema in `folder` and returns it as a gzipped tar. What every
 * installation would share by mistake is not in it: no account, no key, no secret.
 */
export async function makeTemplate(folder: string, schema: Schema): Promise<Uint8Array> {
	const engine = await openPglite({ folder, template: null })
	await applyMigrations(engine, schema, await pendingMigrations(engine, schema))
	await engine.close()
	const pg = await PGlite.create({ dataDir: folder })
	await pg.exec('vacuum analyze')
	await pg.exec('checkpoint')
	const tarball = await pg.dumpDataDir('gzip')
	await pg.close()
	return new Uint8Array(await tarball.arrayBuffer())
}
