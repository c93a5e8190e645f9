/**
 * How far each session was proved to go, and who hosts it, as this device has seen it: a server that shows
 * less of it later, or another host, is found out (docs/protocol.md, sections 4 and 8). Ids and numbers
 * only. One small database a home.
 */
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import * as v from 'valibot'
import { openDatabase } from '../config/database.ts'
import { homeError } from '../config/home-error.ts'

export interface SeenSessions {
	/** Number of the last message that was proved to exist; 0 for a session that was never seen. */
	last(session: string): number
	/** Message `seq` is proved to exist. */
	saw(session: string, seq: number): void
	/** All that were seen. */
	all(): ReadonlyMap<string, number>
	/** The device that hosts a session; `null` where it was never found. */
	host(session: string): string | null
	/** Sessions with their hosts. The first one that is found of a session stays. */
	sawHosts(hosts: ReadonlyMap<string, string>): void
}

/** For throw-away profiles. */
export function seenInMemory(): SeenSessions {
	const seen = new Map<string, number>()
	const known = new Map<string, string>()
	return {
		last: (session) => seen.get(session) ?? 0,
		saw(session, seq) {
			if (seq > (seen.get(session) ?? 0)) seen.set(session, seq)
		},
		all: () => seen,
		host: (session) => known.get(session) ?? null,
		sawHosts(hosts) {
			for (const [session, host] of hosts) if (!known.has(session)) known.set(session, host)
		},
	}
}

const version = 2
const schema = `
	create table if not exists seen (
		account text not null,
		session text not null,
		seq integer not null,
		primary key (account, session)
	) strict, without rowid;
	create table if not exists hosts (
		account text not null,
		session text not null,
		host text not null,
		primary key (account, session)
	) strict, without rowid;
`
const row = v.object({ session: v.string(), seq: v.number() })
const hostRow = v.object({ session: v.string(), host: v.string() })

/**
 * Opened when it is first needed. Where the disk is full or may not be written to, nothing keeps a person
 * from reading: then it is remembered as long as this process lives.
 */
export class SeenSessionsFile implements SeenSessions, Disposable {
	readonly #folder: string
	readonly #account: string
	readonly #known = seenInMemory()
	#db: DatabaseSync | null = null
	#closed = false

	constructor(dataFolder: string, account: string) {
		this.#folder = dataFolder
		this.#account = account
	}

	/** Throws `home_failed` when the file is damaged. */
	last(session: string): number {
		this.#load()
		return this.#known.last(session)
	}

	/** Throws as `last` does. */
	saw(session: string, seq: number): void {
		const db = this.#load()
		if (seq <= this.#known.last(session)) return
		this.#known.saw(session, seq)
		if (!db) return
		try {
			db.prepare(
				`insert into seen (account, session, seq) values (?, ?, ?)
				on conflict (account, session) do update set seq = max(seq, excluded.seq)`,
			).run(this.#account, session, seq)
		} catch (cause) {
			this.#failed(cause)
		}
	}

	all(): ReadonlyMap<string, number> {
		this.#load()
		return this.#known.all()
	}

	/** Throws as `last` does. */
	host(session: string): string | null {
		this.#load()
		return this.#known.host(session)
	}

	/** Throws as `last` does. */
	sawHosts(hosts: ReadonlyMap<string, string>): void {
		if (hosts.size === 0) return
		const db = this.#load()
		this.#known.sawHosts(hosts)
		if (!db) return
		try {
			db.exec('begin immediate')
			try {
				const add = db.prepare(
					'insert or ignore into hosts (account, session, host) values (?, ?, ?)',
				)
				for (const [session, host] of hosts) add.run(this.#account, session, host)
				db.exec('commit')
			} catch (error) {
				if (db.isTransaction) db.exec('rollback')
				throw error
			}
		} catch (cause) {
			this.#failed(cause)
		}
	}

	get #file(): string {
		return join(this.#folder, 'seen-sessions.db')
	}

	#load(): DatabaseSync | null {
		if (this.#db || this.#closed) return this.#db
		try {
			const db = openDatabase(this.#file, version, schema)
			const rows = db.prepare('select session, seq from seen where account = ?').all(this.#account)
			for (const each of rows) {
				const { session, seq } = v.parse(row, each)
				this.#known.saw(session, seq)
			}
			const hosts = db.prepare('select session, host from hosts where account = ?')
			this.#known.sawHosts(
				new Map(
					hosts.all(this.#account).map((each) => {
						const { session, host } = v.parse(hostRow, each)
						return [session, host]
					}),
				),
			)
			this.#db = db
			return db
		} catch (cause) {
			this.#failed(cause)
			return null
		}
	}

	#failed(cause: unknown): void {
		const error = homeError(cause, this.#file)
		if (error.code !== 'disk_full' && error.code !== 'home_not_writable') throw error
	}

	[Symbol.dispose](): void {
		this.#closed = true
		this.#db?.close()
		this.#db = null
	}
}
