/** What the thread with the index is told, and answers. Plain data only: it travels between threads. */
import type { MessageRow } from '../../backend/gateway.ts'
import type { Query } from '../../search/query.ts'
import type { SearchedSession } from '../../search/session-filter.ts'
import type { Proved } from '../session-reader.ts'
import type { SearchHit } from '../viewer.ts'
import type { PlainKeys } from './plain-keys.ts'
import type { Gap } from './position.ts'

/** Where the index is, and the key (32 bytes) that it is sealed with. `folder` `null`: in memory only. */
export interface EngineOptions {
	folder: string | null
	key: Uint8Array
	account: string
}

export interface Counts {
	/** Messages in the index, of all sessions. */
	messages: number
	/** Messages of all sessions that did not verify, and can't be found. */
	unverified: number
	/** Why the index is not kept on this disk; `null`: it is, or is not meant to. */
	diskProblem: string | null
}

export interface Opened extends Counts {
	positions: Map<string, { last: number; gaps: Gap[] }>
	/** What was known of sessions when the index was kept. */
	sessions: SearchedSession[]
	/** What was there was damaged, and is gone. */
	damaged: boolean
}

/** Rows as the server shows them. */
export interface Batch {
	session: string
	rows: readonly MessageRow[]
	/** The numbers that they should be; `null`: the server has nothing up to `last`. */
	window: { from: number; to: number } | null
	last: number
	keys: PlainKeys
	/** They did not verify before, and are looked at again. */
	again: boolean
}

export interface Added extends Counts {
	/** All rows up to here were looked at. */
	last: number
	proved: Proved
}

export interface Answer {
	hits: SearchHit[]
	total: number
}

/** The index, wherever it runs. One call at a time but for `ask`. */
export interface Engine extends AsyncDisposable {
	/** Throws `home_not_writable` and the like only where nothing can be opened at all. */
	open(): Promise<Opened>
	/** What is known of sessions now. */
	describe(sessions: readonly SearchedSession[]): Promise<void>
	/** Checks rows, and takes over what holds. */
	add(batch: Batch): Promise<Added>
	/**
	 * The first `limit` of all that fit; `partial` is told what was found so far. `null`: another question came
	 * meanwhile. Throws `search_index_damaged`: then `rebuild`.
	 */
	ask(query: Query, limit: number, partial: (answer: Answer) => void): Promise<Answer | null>
	/** Puts on the disk what has come since the last time. */
	flush(): Promise<Counts>
	/** Throws all away. */
	rebuild(): Promise<void>
}
