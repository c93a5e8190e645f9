/** The index of one account, and the checks that every message passes before it gets there. */
import type { ScopeKeys } from '../../account/key-ring.ts'
import type { MessageRow } from '../../backend/gateway.ts'
import type { EpochRecord } from '../../protocol/epoch.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import type { SessionEvent } from '../../protocol/events.ts'
import type { ChainState } from '../../protocol/message.ts'
import type { Scope } from '../../protocol/scope.ts'
import type { Found } from '../../search/document.ts'
import { MessageIndex } from '../../search/message-index.ts'
import { snippetOf } from '../../search/occurrences.ts'
import type { Query } from '../../search/query.ts'
import { searchable } from '../../search/searchable.ts'
import { type SearchedSession, sessionFits } from '../../search/session-filter.ts'
import { assemble, type CheckedMessage, checkRows, type Row } from '../checked-message.ts'
import { type Proved, provedBy } from '../session-reader.ts'
import type { SearchHit } from '../viewer.ts'

/** `ScopeKeys` as data, for the epochs that some rows need. */
export interface PlainKeys {
	scope: Scope
	by: string | null
	signPublic: Uint8Array | null
	newest: number
	records: ReadonlyMap<number, EpochRecord>
	keys: ReadonlyMap<number, Uint8Array | { code: string; message: string }>
}

/** Rows as the server shows them: numbers `from` to `to` of a session. */
export interface Batch {
	session: string
	rows: readonly MessageRow[]
	window: { from: number; to: number } | null
	/** Up to here the server has nothing, or all was looked at. */
	last: number
	keys: PlainKeys
}

export interface Added {
	position: number
	proved: Proved
	/** Messages in the index, of all sessions. */
	messages: number
	/** Messages of all sessions that did not verify, and can't be found. */
	unverified: number
}

export interface Answer {
	hits: SearchHit[]
	total: number
}

interface Position {
	/** All rows up to here were looked at. */
	last: number
	end: ChainState | null
	/** Rows of a body whose other parts are still to come. */
	carried: Row[]
	unverified: number
}

/** Keys as data for the epochs of these rows. */
export function plainKeys(keys: ScopeKeys, rows: readonly MessageRow[]): PlainKeys {
	const { scope, by, signPublic, newest, records } = keys
	const epochs = new Set([0, ...rows.map(({ epoch }) => epoch)])
	const known = [...epochs].map((epoch) => {
		const key = keys.keyOf(epoch)
		const { code, message } = key instanceof StyrbyError ? key : { code: '', message: '' }
		return [epoch, key instanceof StyrbyError ? { code, message } : key] as const
	})
	return { scope, by, signPublic, newest, records, keys: new Map(known) }
}

function scopeKeys({ keys, ...rest }: PlainKeys): ScopeKeys {
	return {
		...rest,
		keyOf(epoch) {
			const key = keys.get(epoch)
			if (key instanceof Uint8Array) return key
			return new StyrbyError(key?.code ?? 'key_missing', key?.message ?? 'its key is not known')
		},
	}
}

export class SearchEngine {
	readonly #index = new MessageIndex()
	readonly #sessions = new Map<string, SearchedSession>()
	readonly #positions = new Map<string, Position>()

	/** How far each session is in the index. */
	positions(): Map<string, number> {
		return new Map([...this.#positions].map(([session, { last }]) => [session, last]))
	}

	/** What is known of sessions now. */
	describe(sessions: readonly SearchedSession[]): void {
		for (const session of sessions) this.#sessions.set(session.id, session)
	}

	/** Checks rows, and takes over what holds. */
	add({ session, rows, window, last, keys }: Batch): Added {
		const position = this.#positions.get(session) ?? start()
		this.#positions.set(session, position)
		let proved: Proved = { last: null, heads: [] }
		if (window) {
			const before = position.last === window.from - 1 ? position.end : null
			const checked = checkRows(rows, scopeKeys(keys), { session, ...window, before })
			proved = provedBy(checked.rows)
			const all = [...position.carried, ...checked.rows]
			const { messages, openEnd } = assemble(session, all, true)
			position.end = checked.end
			position.carried = openEnd === null ? [] : all.filter(({ seq }) => seq >= openEnd)
			this.#take(messages, position)
		} else {
			position.end = null
			position.carried = []
		}
		position.last = Math.max(position.last, last)
		return { position: position.last, proved, ...this.counts() }
	}

	counts(): { messages: number; unverified: number } {
		let unverified = 0
		for (const position of this.#positions.values()) unverified += position.unverified
		return { messages: this.#index.size, unverified }
	}

	#take(messages: readonly CheckedMessage[], position: Position): void {
		for (const message of messages) {
			const { session, seq, at, kind, body, verified, problem } = message
			if (!verified || problem !== null || kind === null || body === null) {
				position.unverified += message.rows
				continue
			}
			// `kind` and `body` were checked together when the message was opened.
			const found = searchable({ kind, body } as SessionEvent)
			if (found) this.#index.add([{ session, seq, at: Date.parse(at), kind, ...found }])
		}
	}

	/** The first `limit` of all that fit. */
	async ask(query: Query, limit: number): Promise<Answer> {
		const fitting = new Map<string, boolean>()
		const found = await this.#index.find(query, (id) => {
			const known = fitting.get(id)
			if (known !== undefined) return known
			const session = this.#sessions.get(id)
			const fits = session !== undefined && sessionFits(session, query)
			fitting.set(id, fits)
			return fits
		})
		const terms = query.terms.filter(({ not }) => !not).map(({ text }) => text)
		const hits = found.slice(0, limit).map((each) => this.#hit(each, terms))
		return { hits, total: found.length }
	}

	#hit({ session, seq, at, kind, text }: Found, terms: readonly string[]): SearchHit {
		const about = this.#sessions.get(session)
		return {
			session,
			seq,
			at: new Date(at).toISOString(),
			kind,
			agent: about?.agent ?? '',
			project: about?.project ?? null,
			title: about?.title ?? null,
			...snippetOf(text, terms),
		}
	}
}

const start = (): Position => ({ last: 0, end: null, carried: [], unverified: 0 })
