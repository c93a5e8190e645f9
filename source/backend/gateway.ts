/**
 * What the rest of the program knows of a backend, embedded or Supabase. Rows are as the server holds
 * them: untrusted until `protocol` has checked them. Byte strings are standard base64 with padding.
 */
import type { AgentName, RequestStatus, SessionStatus } from '../protocol/events.ts'

export interface LogRow {
	seq: number
	entry: string
	signature: string
}

/** `scope` is `account:<uuid>` or `session:<uuid>`. `record` are the signed bytes of the epoch record. */
export interface EpochRow {
	scope: string
	epoch: number
	record: string
	signature: string
}

/** An epoch key, boxed by device `by` for device `to`. */
export interface GrantRow {
	scope: string
	epoch: number
	to: string
	by: string
	nonce: string
	ciphertext: string
	created_at: string
}

/** The plain counters that the server may see. Tokens; USD. */
export interface Counts {
	input_tokens: number
	output_tokens: number
	cache_read_tokens: number
	cache_write_tokens: number
	cost_usd: number
}

/** A message as stored. `created_at` is the time the host sealed into it: a flipped bit there shows too. */
export interface MessageRow extends Counts {
	session_id: string
	seq: number
	epoch: number
	nonce: string
	ciphertext: string
	signature: string
	created_at: string
}

/** A row on its way in, with what it opens or closes, in one transaction. */
export interface AppendRow extends MessageRow {
	opens?: { request: string; expires_at: string }
	closes?: { request: string; status: Exclude<RequestStatus, 'pending'> }
}

/** Text sealed with the account key (session title, project, directory; device name). */
export interface Sealed {
	epoch: number
	nonce: string
	ciphertext: string
}

export interface SessionRow {
	id: string
	agent: AgentName | string
	status: SessionStatus | string
	/** Plain only when the person chose so. */
	project: string | null
	label: Sealed | null
	/** Device that hosts it, as the server says; the epoch-0 record says it for sure. */
	host: string
	started_at: string
	last_activity_at: string
	ended_at: string | null
	last_seq: number
	pending: number
	tokens: { input: number; output: number; cache_read: number; cache_write: number }
	cost_usd: number
}

export interface RequestRow {
	id: string
	session: string
	seq: number
	status: RequestStatus | string
	created_at: string
	expires_at: string
	closed_at: string | null
}

/** A boxed command on its way to a host. `id` is the command's own id: posting twice changes nothing. */
export interface MailRow {
	id: string
	session: string
	from: string
	to: string
	nonce: string
	ciphertext: string
	created_at: string
}

export interface MachineKeyRow {
	device: string
	box: string
	sign: string
	kind: string
	added_at: string
	revoked_at: string | null
	last_seen_at: string | null
}

/** A sealed request of a device that wants to join, and its sealed answer. `id`: base64 of 16 bytes. */
export interface PairingRow {
	id: string
	nonce: string
	ciphertext: string
}

export interface PostedPairing extends PairingRow {
	created_at: string
	answer: { nonce: string; ciphertext: string } | null
}

/** To whom keys of a scope were handed, as the server says. */
export interface AccessRow {
	scope: string
	/** How many epochs it has. */
	epochs: number
	grants: { epoch: number; to: string; by: string; created_at: string }[]
}

/** A place among the messages that cost something: newest first, then by session and number, backwards. */
export interface SpendingPlace {
	at: string
	session: string
	seq: number
}

/** What comes over the live channel: hints with data in them. Nothing depends on one arriving. */
export type SessionHint =
	| { type: 'messages'; session: string; from: number; to: number; rows: MessageRow[] | null }
	/** Unstored text, sealed and signed (docs/protocol.md, section 5.6). */
	| { type: 'frame'; nonce: string; ciphertext: string; signature: string }
	| { type: 'heartbeat'; bytes: string; signature: string }
	/** The channel is (again) joined: pull once. */
	| { type: 'joined' }
	| { type: 'lost'; why: string }

export type AccountHint =
	| { type: 'sessions'; session: string }
	| { type: 'log'; seq: number }
	| { type: 'request'; request: string; session: string; status: string }
	| { type: 'mail'; mail: MailRow }
	| { type: 'joined' }
	| { type: 'lost'; why: string }

export interface Channel extends AsyncDisposable {
	/** Session channels only: sends an unstored frame or heartbeat to whoever listens; never throws. */
	send(hint: Extract<SessionHint, { type: 'frame' | 'heartbeat' }>): void
}

/**
 * Every call throws `StyrbyError`: `backend_unreachable` (exit 5, safe to repeat), `not_signed_in`
 * (exit 3), `backend_lacks_migrations`, `backend_too_old`, or a code of the function itself:
 * `log_conflict`, `append_gap` (with `cause` `{ last_seq }`), `append_conflict`, `epoch_conflict`,
 * `no_such_epoch`, `no_such_session`, `malformed_row` and the other `malformed_…`, `too_many_rows`,
 * `mailbox_full`; `device_revoked` (exit 3) where the sign-in was ended with its device. What a server answers that it should not is `backend_malformed` (exit 4); a full disk
 * there is `backend_full`.
 */
export interface Gateway extends AsyncDisposable {
	/** Id of the signed-in account. */
	readonly account: string
	readonly url: string

	readLog(after: number): Promise<LogRow[]>
	/** Throws `log_conflict` when `seq` is not the next one. */
	appendLog(row: LogRow): Promise<void>
	machineKeys(): Promise<MachineKeyRow[]>

	/** Idempotent by session id. Epoch 0 and its grants go in in the same transaction. */
	createSession(session: {
		id: string
		agent: AgentName | string
		host: string
		project: string | null
		label: Sealed | null
		started_at: string
		epoch: EpochRow
		grants: GrantRow[]
	}): Promise<void>
	updateSession(
		id: string,
		change: { status?: SessionStatus; ended_at?: string | null; label?: Sealed },
	): Promise<void>
	/**
	 * Newest activity first. `before` is the `last_activity_at` of the last row of the page before, and
	 * `beforeId` its id: without it, sessions that were active in the same millisecond are passed over.
	 */
	listSessions(query: {
		limit: number
		before?: string
		beforeId?: string
		status?: string[]
		agent?: string
	}): Promise<SessionRow[]>
	readSession(id: string): Promise<SessionRow | null>

	putEpoch(epoch: EpochRow, grants: GrantRow[]): Promise<void>
	putGrants(grants: GrantRow[]): Promise<void>
	/** All epochs of these scopes, and the grants in them for one device. */
	readKeys(
		scopes: readonly string[],
		device: string,
	): Promise<{ epochs: EpochRow[]; grants: GrantRow[] }>

	/**
	 * Scopes after `after`, at most 500, in which `by` was given a key that `to` was not, and how many there
	 * are in all. `again`: what others than `by` have granted to `to` does not count.
	 */
	listKeyGaps(query: {
		to: string
		by: string
		after: string | null
		again?: boolean
	}): Promise<{ scopes: string[]; left: number }>
	/** Scopes after `after`, or those of `scopes` alone (at most 200), with their grants, or those `to` one device. */
	listAccess(query: {
		after?: string | null
		to?: string
		scopes?: readonly string[]
	}): Promise<{ scopes: AccessRow[]; more: boolean }>
	/** Of how many sessions each device was given a key. */
	countAccess(): Promise<{ device: string; sessions: number }[]>

	/** For ten minutes. Throws `pairing_conflict`, `too_many_pairings`. */
	postPairing(pairing: PairingRow): Promise<void>
	/** `null` when there is none, or no longer. */
	readPairing(id: string): Promise<PostedPairing | null>
	/** Throws `pairing_answered` when it has another answer, `no_such_pairing`. */
	answerPairing(answer: PairingRow): Promise<void>
	deletePairing(id: string): Promise<void>

	/**
	 * All or nothing, up to 500 rows and 8 MiB: more than that goes in several steps, in order. Rows that are
	 * there already, byte for byte, are skipped. Returns the last seq stored.
	 */
	appendMessages(session: string, rows: readonly AppendRow[]): Promise<number>
	/** Ascending by seq: rows with `after < seq`, or the last `limit` rows with `seq < before`. */
	readMessages(
		session: string,
		range: { after: number; limit: number } | { before: number; limit: number },
	): Promise<MessageRow[]>

	/**
	 * One page of the messages that carry token counts or a cost, of all sessions, newest first: those before
	 * a place, or from the newest on. `more`: there are others before the last of them.
	 */
	readSpending(query: {
		before: SpendingPlace | null
		limit: number
	}): Promise<{ rows: MessageRow[]; more: boolean }>

	/** Pending ones oldest first; all of them newest first. */
	listRequests(query: {
		status: 'pending' | 'all'
		limit: number
		session?: string
	}): Promise<RequestRow[]>
	readRequest(id: string): Promise<RequestRow | null>

	postMail(mail: Omit<MailRow, 'created_at'>): Promise<void>
	readMail(device: string): Promise<MailRow[]>
	deleteMail(ids: readonly string[]): Promise<void>

	/** Joins `session:<id>`. Rejoins by itself after a cut, and says so with `joined`. */
	followSession(id: string, listener: (hint: SessionHint) => void): Channel
	/** Joins `account:<id>`. */
	followAccount(listener: (hint: AccountHint) => void): Channel
}
