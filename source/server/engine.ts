/**
 * The one door to the database. Two engines stand behind it: PostgreSQL in WebAssembly (PGlite) in a
 * worker thread, and any real PostgreSQL. A transaction is a list of statements, never a
 * conversation: the embedded engine has a single session, and nobody may hold it while thinking.
 */
export interface Statement {
	/** One statement with `$1…` parameters, or several statements without any. */
	readonly sql: string
	/** Text or NULL; the statement casts (`$1::uuid`), so that both engines read them alike. */
	readonly params?: readonly (string | null)[]
}

/** Every value comes as PostgreSQL prints it. */
export type Row = Readonly<Record<string, string | null>>

export interface TxOptions {
	/** Roll back at the end: what was asked is only the answer. */
	readonly rollback?: boolean
	/** Milliseconds until the transaction is broken off; default 10,000. */
	readonly timeLimitMs?: number
}

export interface Engine extends AsyncDisposable {
	readonly kind: 'pglite' | 'postgres'
	/** Runs the statements in one transaction; rows per statement. Throws `DatabaseError`. */
	tx(statements: readonly Statement[], options?: TxOptions): Promise<Row[][]>
	/** One statement in a transaction of its own. Throws `DatabaseError`. */
	query(sql: string, params?: readonly (string | null)[], options?: TxOptions): Promise<Row[]>
	/** Calls `listener` with each payload notified on `channel`, after the notifier's commit. */
	listen(channel: string, listener: (payload: string) => void): Promise<void>
	/** How often a file was synced since the opening, where the engine can tell. */
	syncs?(): Promise<number>
	/** Waits for what is under way, writes a checkpoint, and lets go of the database. */
	close(): Promise<void>
}

export const defaultTimeLimitMs = 10_000

/** What PostgreSQL says of a failed statement. `code` is its SQLSTATE. */
export class DatabaseError extends Error {
	override readonly name = 'DatabaseError'
	readonly code: string
	readonly detail: string | null
	readonly hint: string | null

	constructor(fault: DatabaseFault) {
		super(fault.message)
		this.code = fault.code
		this.detail = fault.detail
		this.hint = fault.hint
	}
}

export interface DatabaseFault {
	readonly code: string
	readonly message: string
	readonly detail: string | null
	readonly hint: string | null
}

/** SQLSTATEs that the engines themselves raise. */
export const sqlState = {
	canceled: '57014',
	shutdown: '57P01',
	diskFull: '53100',
	ioError: '58030',
	insufficientPrivilege: '42501',
	internal: 'XX000',
} as const

/** Reads the fields of an error that either driver threw. */
export function faultOf(error: unknown): DatabaseFault {
	const fields = typeof error === 'object' && error !== null ? error : {}
	const text = (name: string): string | null => {
		const value: unknown = Reflect.get(fields, name)
		return typeof value === 'string' && value !== '' ? value : null
	}
	const errno: unknown = Reflect.get(fields, 'errno')
	const known = typeof errno === 'number' ? wasmErrors[errno] : undefined
	const message =
		text('message') ??
		(typeof errno === 'number' ? `file system error ${known ?? errno}` : String(error))
	const code = known ?? text('code')
	return {
		code: code !== null && /^[0-9A-Z]{5}$/.test(code) ? code : systemState(code, message),
		message,
		detail: text('detail'),
		hint: text('hint'),
	}
}

/** The numbers that WebAssembly's file system gives errors; one thrown by it has no other field. */
const wasmErrors: Readonly<Record<number, string>> = {
	2: 'EACCES',
	19: 'EDQUOT',
	29: 'EIO',
	51: 'ENOSPC',
	69: 'EROFS',
}

function systemState(code: string | null, message: string): string {
	if (code === 'ENOSPC' || code === 'EDQUOT' || /no space left|disk full/i.test(message)) {
		return sqlState.diskFull
	}
	if (code === 'EIO' || code === 'EROFS') return sqlState.ioError
	return sqlState.internal
}
