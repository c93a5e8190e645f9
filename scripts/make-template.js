// Prepares what the embedded backend's first start begins with: a database cluster that has the
// schema already, so that nobody waits for initdb and the migrations.
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { findTemplate, readSchema } from '../source/server/package-files.ts'
import { makeTemplate as makeCluster } from '../source/server/template.ts'
import { makeApplyMigrations } from './make-apply-migrations.js'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Writes the template, its key and the SQL that the bundle reads into `dist`; skips what is current. */
export async function makeTemplate(dist) {
	mkdirSync(dist, { recursive: true })
	for (const name of ['platform.sql', 'auth.sql']) {
		copyFileSync(path.join(root, 'source/server', name), path.join(dist, name))
	}
	const schema = readSchema(root)
	makeApplyMigrations(dist, schema)
	if (findTemplate(schema, root) !== null) return
	const scratch = mkdtempSync(path.join(tmpdir(), 'styrby-template-'))
	try {
		const tarball = await makeCluster(path.join(scratch, 'pg'), schema)
		rmSync(path.join(dist, 'template.key'), { force: true })
		writeFileSync(path.join(dist, 'template.tar.gz.new'), tarball)
		renameSync(path.join(dist, 'template.tar.gz.new'), path.join(dist, 'template.tar.gz'))
		writeFileSync(path.join(dist, 'template.key'), `${schema.key}\n`)
	} finally {
		rmSync(scratch, { recursive: true, force: true })
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeTemplate(path.join(root, 'dist'))
