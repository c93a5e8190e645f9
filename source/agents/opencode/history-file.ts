/** The database in which OpenCode keeps its sessions, opened to be read and nothing else. */
import { open, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'

/** A longer record is reported, not read. Characters. */
const maxRecord = 64 * 1024 * 1024

const sessionRow = v.object({
	id: v.string(),
	directory: v.nullable(v.string()),
	time_created: v.number(),
	time_updated: v.number(),
})
export type SessionRow = v.InferOutput<typeof sessionRow>

const messageRow = v.object({
	id: v.string(),
	session_id: v.string(),
	data: v.nullable(v.string()),
})
export type MessageRow = v.InferOutput<typeof messageRow>

const partRow = v.object({
	...messageRow.entries,
	message_id: v.string(),
	time_created: v.number(),
})
export type PartRow = v.InferOutput<typeof partRow>

/** The session and its sub-agents'. */
const family = `WITH RECURSIVE family(id) AS (
	SELECT ?1 UNION SELECT session.id FROM session JOIN family ON session.parent_id = family.id
)`
const data = `CASE WHEN typeof(data) = 'text' AND length(data) <= ${maxRecord} THEN data END AS data`
const tables = `SELECT count(*) AS count FROM sqlite_master
	WHERE type = 'table' AND name IN ('session', 'message', 'part')`

export class HistoryFile implements Disposable {
	readonly path: string
	readonly #database: DatabaseSync

	/** Throws `import_unreadable`, `import_not_recognised`. */
	constructor(path: string) {
		this.path = path
		try {
			this.#database = new DatabaseSync(path, { readOnly: true })
		} catch (cause) {
			throw unreadable(path, cause)
		}
		if (v.is(v.object({ count: v.literal(3) }), this.#all(tables)[0])) return
		this.#database.close()
		throw new StyrbyError(
			'import_not_recognised',
			`${basename(path)} is not a database of OpenCode's; name another file or agent.`,
		)
	}

	/** Sessions of a person's, oldest first; a sub-agent's whose own are gone is one, too. */
	sessions(): SessionRow[] {
		const rows = this.#all(
			`SELECT id, directory, time_created, time_updated FROM session
			WHERE parent_id IS NULL OR parent_id NOT IN (SELECT id FROM session)
			ORDER BY time_created, id`,
		)
		return rows.flatMap((row) => (v.is(sessionRow, row) ? [row] : []))
	}

	/** `null` for a row that is none of OpenCode's. */
	*messages(session: string): Generator<MessageRow | null, void, void> {
		const rows = this.#rows(
			`${family} SELECT id, session_id, ${data} FROM message
			WHERE session_id IN (SELECT id FROM family) ORDER BY time_created, id`,
			session,
		)
		for (const row of rows) yield v.is(messageRow, row) ? row : null
	}

	/** In the order in which they began. */
	*parts(session: string): Generator<PartRow | null, void, void> {
		const rows = this.#rows(
			`${family} SELECT id, session_id, message_id, time_created, ${data} FROM part
			WHERE session_id IN (SELECT id FROM family) ORDER BY time_created, id`,
			session,
		)
		for (const row of rows) yield v.is(partRow, row) ? row : null
	}

	[Symbol.dispose](): void {
		this.#database.close()
	}

	#all(sql: string): unknown[] {
		return [...this.#rows(sql)]
	}

	*#rows(sql: string, ...values: SQLInputValue[]): Generator<unknown, void, void> {
		try {
			yield* this.#database.prepare(sql).iterate(...values)
		} catch (cause) {
			throw unreadable(this.path, cause)
		}
	}
}

function unreadable(path: string, cause: unknown): StyrbyError {
	const why = cause instanceof Error ? cause.message.slice(0, 200) : 'unknown cause'
	return new StyrbyError(
		'import_unreadable',
		`${basename(path)} can not be read (${why}); check that it is whole and who may read it.`,
		{ cause },
	)
}

/** Whether a file is a database of OpenCode's, by its content. */
export async function isOpencodeHistory(path: string): Promise<boolean> {
	await using file = await open(path, 'r')
	const head = Buffer.alloc(16)
	await file.read(head, 0, 16, 0)
	if (head.toString('latin1') !== 'SQLite format 3\0') return false
	try {
		new HistoryFile(path)[Symbol.dispose]()
		return true
	} catch (error) {
		if (error instanceof StyrbyError) return false
		throw error
	}
}

/** All databases of OpenCode's under a folder, in order of their paths. */
export async function findHistory(folder: string): Promise<string[]> {
	const entries = await readdir(folder, { withFileTypes: true, recursive: true })
	const found: string[] = []
	for (const entry of entries) {
		const path = join(entry.parentPath, entry.name)
		if (!entry.isFile() || !/^opencode.*\.db$/.test(entry.name)) continue
		if (await isOpencodeHistory(path)) found.push(path)
	}
	return found.sort()
}
