/** Small SQLite databases of one home: read and written by several processes at once. */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** How long to wait for another process that writes, ms. */
const busyMs = 5000

/**
 * Opens `file`, made with mode 0600 where it lacks, and makes the tables of `schema` (`create … if not
 * exists`). `version` is kept as its `user_version`. Throws what the system and SQLite throw (`homeError`).
 */
export function openDatabase(file: string, version: number, schema: string): DatabaseSync {
	closeSync(openSync(file, 'a', 0o600))
	const db = new DatabaseSync(file, { timeout: busyMs })
	try {
		db.exec(`
			pragma journal_mode = wal;
			pragma synchronous = normal;
			${schema}
			pragma user_version = ${version};
		`)
	} catch (error) {
		db.close()
		throw error
	}
	return db
}
