/**
 * Which of an agent's own sessions are in the account already, and which of their lines: so that nothing
 * is imported twice. Ids only. One small database a home.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import * as v from 'valibot'
import { openDatabase } from '../config/database.ts'
import { homeError } from '../config/home-error.ts'

const sessionRow = v.object({ session: v.string() })
const sourceRow = v.object({ source: v.string() })
const lastRow = v.object({ seq: v.number() })
const version = 1
const schema = `
	create table if not exists live (
		agent text not null,
		agent_session text not null,
		session text not null,
		primary key (agent, agent_session)
	) strict;
	create table if not exists imported (
		session text not null,
		source text not null,
		seq integer not null,
		primary key (session, source)
	) strict, without rowid;
`

/** A line that was put into a session, and the number of its last message. */
export interface ImportedSource {
	source: string
	seq: number
}

export class HostedSessions implements Disposable {
	readonly #db: DatabaseSync
	readonly #file: string

	private constructor(db: DatabaseSync, file: string) {
		this.#db = db
		this.#file = file
	}

	/** All of its calls throw `home_not_writable`, `disk_full`, `home_failed`. */
	static open(dataFolder: string): HostedSessions {
		const file = join(dataFolder, 'agent-sessions.db')
		try {
			mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
			const db = openDatabase(file, version, schema)
			return new HostedSessions(db, file)
		} catch (cause) {
			throw homeError(cause, file)
		}
	}

	/** An agent's session is hosted live, under this id. */
	hosted(agent: string, agentSession: string, session: string): void {
		const sql = 'insert or replace into live (agent, agent_session, session) values (?, ?, ?)'
		this.#try((db) => db.prepare(sql).run(agent, agentSession, session))
	}

	/** Under which id an agent's session was hosted live; `null`: it was not, as far as this home knows. */
	liveSession(agent: string, agentSession: string): string | null {
		const sql = 'select session from live where agent = ? and agent_session = ?'
		const row = this.#try((db) => db.prepare(sql).get(agent, agentSession))
		return row ? v.parse(sessionRow, row).session : null
	}

	/** Lines that were put into a session, of which the backend has `lastSeq` messages. */
	sources(session: string, lastSeq: number): Set<string> {
		const rows = this.#try((db) => {
			// What was about to be sent when an import died, and never arrived.
			db.prepare('delete from imported where session = ? and seq > ?').run(session, lastSeq)
			return db.prepare('select source from imported where session = ?').all(session)
		})
		return new Set(rows.map((row) => v.parse(sourceRow, row).source))
	}

	/** The last message of a session whose line is on the list; 0 for none. */
	listedTo(session: string): number {
		const sql = 'select coalesce(max(seq), 0) as seq from imported where session = ?'
		return v.parse(
			lastRow,
			this.#try((db) => db.prepare(sql).get(session)),
		).seq
	}

	/** Written before the lines are sent: then a death in between is seen, and nothing is doubled. */
	imported(session: string, sources: readonly ImportedSource[]): void {
		const sql = 'insert or replace into imported (session, source, seq) values (?, ?, ?)'
		this.#try((db) => {
			const insert = db.prepare(sql)
			db.exec('begin immediate')
			try {
				for (const { source, seq } of sources) insert.run(session, source, seq)
				db.exec('commit')
			} finally {
				if (db.isTransaction) db.exec('rollback')
			}
		})
	}

	#try<T>(work: (db: DatabaseSync) => T): T {
		try {
			return work(this.#db)
		} catch (cause) {
			throw homeError(cause, this.#file)
		}
	}

	[Symbol.dispose](): void {
		if (this.#db.isOpen) this.#db.close()
	}
}
