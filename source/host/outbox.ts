/**
 * What a host has sealed and the backend has not confirmed yet: one file a session, so hosts never wait
 * for each other. It holds ciphertext, chain state and ids; never keys, never plaintext. What `commit`
 * returned from is on the disk: a crash at any moment after costs nothing and doubles nothing.
 */
import { closeSync, existsSync, fchmodSync, mkdirSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import * as v from 'valibot'
import type { AppendRow } from '../backend/gateway.ts'
import { StyrbyError } from '../protocol/errors.ts'
import { type AgentName, agentNames } from '../protocol/events.ts'
import type { ChainState } from '../protocol/message.ts'
import { outboxError } from './outbox-errors.ts'
import { type Operation, operationSchema } from './outbox-operations.ts'
import { outboxFile, outboxFolder, removeOutbox } from './outbox-paths.ts'
import { appendRowSchema } from './outbox-row.ts'
import { outboxTables, outboxVersion } from './outbox-schema.ts'

/** Whose session it is. */
export interface OutboxSession {
	id: string
	account: string
	device: string
	agent: AgentName
}

/** A sealed row, and the chain value (32 bytes) after it. */
export interface SealedRow {
	row: AppendRow
	chain: Uint8Array
}

/** A decision sealed with the key of an epoch: 24 bytes of nonce, then ciphertext. */
export interface SealedDecision {
	epoch: number
	sealed: Uint8Array
}

/** What one step writes, all or nothing. */
export interface Step {
	rows?: readonly SealedRow[]
	/** Chain state after the last of `rows`. */
	chain?: ChainState
	/** The epoch that is open from now on. */
	epoch?: number
	/** Go to the backend before `rows`. */
	operations?: readonly Operation[]
	/** Go to the backend after `rows`. */
	afterwards?: readonly Operation[]
	opened?: readonly { request: string; digest: string; expiresAt: string }[]
	decided?: { request: string; decision: SealedDecision }
	closed?: readonly string[]
	/** Id of a command that was taken: none is taken twice. */
	command?: string
	/** Nothing follows. */
	ended?: boolean
}

export interface OutboxRequest {
	id: string
	digest: string
	expiresAt: string
	state: 'pending' | 'decided' | 'closed'
	decision: SealedDecision | null
}

export type Work =
	| { kind: 'operation'; n: number; operation: Operation }
	| { kind: 'rows'; rows: AppendRow[]; chain: Uint8Array }

const blob = v.instance(Uint8Array)
const sessionSchema = v.object({
	id: v.string(),
	account: v.string(),
	device: v.string(),
	agent: v.picklist(agentNames),
	epoch: v.number(),
	seq: v.number(),
	chain: blob,
	signature: v.nullable(blob),
	confirmed_seq: v.number(),
	confirmed_chain: blob,
	ended: v.number(),
})
const storedRow = v.object({ seq: v.number(), row: v.string(), chain: blob })
const storedOperation = v.object({ n: v.number(), operation: v.string() })
const storedRequest = v.object({
	id: v.string(),
	digest: v.string(),
	expires_at: v.string(),
	state: v.picklist(['pending', 'decided', 'closed']),
	decision_epoch: v.nullable(v.number()),
	decision: v.nullable(blob),
})
const counted = v.object({ n: v.number() })

/** A new private file (mode 0600): SQLite gives its journal files the same mode. */
function createFile(dataFolder: string, file: string): void {
	mkdirSync(outboxFolder(dataFolder), { recursive: true, mode: 0o700 })
	const fd = openSync(file, 'a', 0o600)
	try {
		fchmodSync(fd, 0o600)
	} finally {
		closeSync(fd)
	}
}

export class Outbox implements Disposable {
	readonly session: OutboxSession
	readonly #dataFolder: string
	readonly #db: DatabaseSync
	readonly #statements = new Map<string, StatementSync>()

	private constructor(db: DatabaseSync, dataFolder: string, session: OutboxSession) {
		this.#db = db
		this.#dataFolder = dataFolder
		this.session = session
	}

	/**
	 * Makes the outbox of a new session. `chain` is its start. Throws `outbox_full`, `home_not_writable`,
	 * `outbox_failed`.
	 */
	static create(
		dataFolder: string,
		session: OutboxSession,
		chain: ChainState,
		operations: readonly Operation[],
	): Outbox {
		const file = outboxFile(dataFolder, session.id)
		try {
			createFile(dataFolder, file)
			const outbox = new Outbox(connect(file), dataFolder, session)
			outbox.#transaction(() => {
				outbox.#db.exec(outboxTables)
				outbox.#db.exec(`pragma user_version = ${outboxVersion}`)
				outbox.#run(
					`insert into session (id, account, device, agent, epoch, seq, chain, signature,
						confirmed_seq, confirmed_chain)
					values (?, ?, ?, ?, 0, ?, ?, ?, ?, ?)`,
					session.id,
					session.account,
					session.device,
					session.agent,
					chain.seq,
					chain.chain,
					chain.signature,
					chain.seq,
					chain.chain,
				)
				outbox.#addOperations(chain.seq, operations)
			})
			return outbox
		} catch (cause) {
			throw outboxError(cause)
		}
	}

	/** Opens what a process left; `null` when there is nothing, or it died before the first commit. */
	static open(dataFolder: string, session: string): Outbox | null {
		const file = outboxFile(dataFolder, session)
		if (!existsSync(file)) return null
		try {
			const db = connect(file)
			const version = v.parse(
				v.object({ user_version: v.number() }),
				db.prepare('pragma user_version').get(),
			).user_version
			if (version === 0) {
				db.close()
				return null
			}
			if (version > outboxVersion) {
				db.close()
				throw new StyrbyError(
					'newer_version',
					'The outbox of a session was made by a newer version: update styrby-tui.',
				)
			}
			const row = v.parse(sessionSchema, db.prepare('select * from session').get())
			const { id, account, device, agent } = row
			return new Outbox(db, dataFolder, { id, account, device, agent })
		} catch (cause) {
			throw outboxError(cause)
		}
	}

	#prepare(sql: string): StatementSync {
		const known = this.#statements.get(sql)
		if (known) return known
		const statement = this.#db.prepare(sql)
		this.#statements.set(sql, statement)
		return statement
	}

	#run(sql: string, ...values: SQLInputValue[]): void {
		this.#prepare(sql).run(...values)
	}

	#transaction(work: () => void): void {
		this.#db.exec('begin immediate')
		try {
			work()
			this.#db.exec('commit')
		} catch (error) {
			// SQLite has rolled back by itself after some failures, such as a full disk.
			if (this.#db.isTransaction) this.#db.exec('rollback')
			throw error
		}
	}

	#state(): v.InferOutput<typeof sessionSchema> {
		return v.parse(sessionSchema, this.#prepare('select * from session').get())
	}

	/** Where the chain stands after all that was committed. */
	chain(): ChainState {
		const { seq, chain, signature } = this.#state()
		return { seq, chain, signature }
	}

	/** Last message that the backend has confirmed, and the chain value (32 bytes) after it. */
	confirmed(): { seq: number; chain: Uint8Array } {
		const { confirmed_seq, confirmed_chain } = this.#state()
		return { seq: confirmed_seq, chain: confirmed_chain }
	}

	/** The newest epoch that was opened. */
	get epoch(): number {
		return this.#state().epoch
	}

	get ended(): boolean {
		return this.#state().ended !== 0
	}

	/** Writes one step, synced to the disk. Throws `outbox_full`, `home_not_writable`, `outbox_failed`. */
	commit(step: Step): void {
		try {
			this.#transaction(() => this.#write(step))
		} catch (cause) {
			throw outboxError(cause)
		}
	}

	#write(step: Step): void {
		const before = this.#state().seq
		this.#addOperations(before, step.operations ?? [])
		this.#addOperations(step.chain?.seq ?? before, step.afterwards ?? [])
		for (const { row, chain } of step.rows ?? []) {
			const json = JSON.stringify(row)
			this.#run('insert into rows (seq, row, chain) values (?, ?, ?)', row.seq, json, chain)
		}
		if (step.chain) {
			const { seq, chain, signature } = step.chain
			this.#run('update session set seq = ?, chain = ?, signature = ?', seq, chain, signature)
		}
		if (step.epoch !== undefined) this.#run('update session set epoch = ?', step.epoch)
		if (step.ended) this.#run('update session set ended = 1')
		for (const { request, digest, expiresAt } of step.opened ?? []) {
			this.#run(
				`insert into requests (id, digest, expires_at, state) values (?, ?, ?, 'pending')`,
				request,
				digest,
				expiresAt,
			)
		}
		if (step.decided) {
			const { request, decision } = step.decided
			this.#run(
				`update requests set state = 'decided', decision_epoch = ?, decision = ? where id = ?`,
				decision.epoch,
				decision.sealed,
				request,
			)
		}
		for (const request of step.closed ?? []) {
			this.#run(`update requests set state = 'closed', decision = null where id = ?`, request)
		}
		if (step.command) this.#run('insert into commands (id) values (?)', step.command)
	}

	#addOperations(afterSeq: number, operations: readonly Operation[]): void {
		for (const operation of operations) {
			const json = JSON.stringify(operation)
			this.#run('insert into operations (after_seq, operation) values (?, ?)', afterSeq, json)
		}
	}

	/** What the backend should get next; `null` when it has all. At most `maxRows` rows, `maxBytes` in all. */
	next(maxRows: number, maxBytes: number): Work | null {
		const first = this.#prepare('select min(seq) as n from rows').get()
		const firstSeq = v.parse(v.object({ n: v.nullable(v.number()) }), first).n
		const found = this.#prepare(
			'select n, operation from operations where after_seq < ? order by n limit 1',
		).get(firstSeq ?? Number.MAX_SAFE_INTEGER)
		if (found) {
			const { n, operation } = v.parse(storedOperation, found)
			const parsed = v.parse(operationSchema, JSON.parse(operation))
			return { kind: 'operation', n, operation: parsed }
		}
		if (firstSeq === null) return null
		const rows: AppendRow[] = []
		let size = 0
		let chain: Uint8Array | null = null
		const statement = this.#prepare(
			`select seq, row, chain from rows
			where seq <= coalesce((select min(after_seq) from operations), seq) order by seq limit ?`,
		)
		for (const stored of statement.iterate(maxRows)) {
			const found = v.parse(storedRow, stored)
			size += found.row.length
			if (chain && size > maxBytes) break
			rows.push(v.parse(appendRowSchema, JSON.parse(found.row)))
			chain = found.chain
		}
		return chain ? { kind: 'rows', rows, chain } : null
	}

	/**
	 * The backend has this work: it leaves. Not synced: done again after a crash, it changes nothing, as
	 * all of the backend's calls may be repeated.
	 */
	confirm(work: Work): void {
		try {
			this.#db.exec('pragma synchronous = normal')
			this.#transaction(() => {
				if (work.kind === 'operation') {
					this.#run('delete from operations where n = ?', work.n)
					return
				}
				const last = work.rows.at(-1)?.seq ?? 0
				this.#run('delete from rows where seq <= ?', last)
				this.#run(
					'update session set confirmed_seq = ?, confirmed_chain = ? where confirmed_seq < ?',
					last,
					work.chain,
					last,
				)
			})
		} catch (cause) {
			throw outboxError(cause)
		} finally {
			this.#db.exec('pragma synchronous = full')
		}
	}

	/** Rows and operations that the backend has not confirmed. */
	pending(): number {
		const sql = 'select (select count(*) from rows) + (select count(*) from operations) as n'
		return v.parse(counted, this.#prepare(sql).get()).n
	}

	request(id: string): OutboxRequest | null {
		const row = this.#prepare('select * from requests where id = ?').get(id)
		return row ? readRequest(row) : null
	}

	/** Requests that have no answer in the session yet. */
	openRequests(): OutboxRequest[] {
		const sql = `select * from requests where state <> 'closed' order by rowid`
		return this.#prepare(sql).all().map(readRequest)
	}

	hasCommand(id: string): boolean {
		return this.#prepare('select 1 from commands where id = ?').get(id) !== undefined
	}

	/** Ends the use of it and deletes it. Only when the session has ended and nothing is pending. */
	remove(): void {
		this[Symbol.dispose]()
		removeOutbox(this.#dataFolder, this.session.id)
	}

	[Symbol.dispose](): void {
		if (this.#db.isOpen) this.#db.close()
	}
}

function readRequest(row: unknown): OutboxRequest {
	const { id, digest, expires_at, state, decision_epoch, decision } = v.parse(storedRequest, row)
	return {
		id,
		digest,
		expiresAt: expires_at,
		state,
		decision:
			decision_epoch === null || decision === null
				? null
				: { epoch: decision_epoch, sealed: decision },
	}
}

function connect(file: string): DatabaseSync {
	const db = new DatabaseSync(file, { timeout: 2000 })
	db.exec('pragma journal_mode = wal; pragma synchronous = full')
	return db
}
