/** The outbox files of a home, whoever they belong to. */
import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import * as v from 'valibot'
import { uuid } from '../protocol/json.ts'
import { outboxError } from './outbox-errors.ts'
import { outboxFile, outboxFolder } from './outbox-paths.ts'

const counted = v.object({ n: v.number() })

/** Sessions that have an outbox: their hosts live, or died before the backend had everything. */
export function outboxSessions(dataFolder: string): string[] {
	return readFolder(outboxFolder(dataFolder))
		.filter((name) => name.endsWith('.db'))
		.map((name) => name.slice(0, -'.db'.length))
		.filter((id) => v.is(uuid, id))
}

function readFolder(folder: string): string[] {
	try {
		return readdirSync(folder)
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
		throw outboxError(error)
	}
}

/** Messages of all sessions of this home that the backend has not confirmed yet. */
export function pendingRows(dataFolder: string): number {
	let pending = 0
	for (const session of outboxSessions(dataFolder)) pending += countRows(dataFolder, session)
	return pending
}

function countRows(dataFolder: string, session: string): number {
	try {
		const db = new DatabaseSync(outboxFile(dataFolder, session), { readOnly: true, timeout: 1000 })
		try {
			const tables = `select count(*) as n from sqlite_schema where name = 'rows'`
			if (v.parse(counted, db.prepare(tables).get()).n === 0) return 0
			return v.parse(counted, db.prepare('select count(*) as n from rows').get()).n
		} finally {
			db.close()
		}
	} catch (error) {
		// Its host has finished and deleted it while we were looking.
		if (!outboxSessions(dataFolder).includes(session)) return 0
		throw outboxError(error)
	}
}
