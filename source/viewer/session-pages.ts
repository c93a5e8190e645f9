/** A session's stored messages page by page, for what goes through all of it: each page is read, checked and forgotten. */
import type { Account } from '../account/account.ts'
import type { MessageRow } from '../backend/gateway.ts'
import type { ChainState } from '../protocol/message.ts'
import { assemble, type CheckedMessage } from './checked-message.ts'
import { SessionReader } from './session-reader.ts'
import type { MessagePage, SessionPages } from './viewer.ts'

/** No message has more rows (docs/protocol.md, section 5.4): a page grows to so many for one that is cut. */
const mostRows = 400

export class StoredPages implements SessionPages {
	readonly #account: Account
	readonly #session: string
	readonly #reader: SessionReader
	/** Number of the last row that should be there, once that was asked for: what lacks up to it is marked. */
	#through = 0
	/** Where the page before ended, when all of it held. */
	#end: { at: number; state: ChainState | null } = { at: 0, state: null }

	constructor(account: Account, session: string) {
		this.#account = account
		this.#session = session
		this.#reader = new SessionReader(account, session)
	}

	async last(): Promise<number> {
		const row = await this.#account.gateway.readSession(this.#session)
		this.#through = this.#reader.through(row)
		return this.#through
	}

	async after(seq: number, limit: number): Promise<MessagePage> {
		for (let rows = limit; ; rows *= 4) {
			const before = this.#end.at === seq ? this.#end.state : null
			const through = Math.max(seq, this.#through)
			const page = await this.#reader.after(seq, { before, limit: rows, through })
			const missing: CheckedMessage[] =
				page.missing > 0 ? [this.#reader.withheld(seq + 1, page.missing)] : []
			const { messages, openEnd } = assemble(this.#session, page.rows, seq === 0)
			const whole = page.rows.length < rows && !page.more && page.last >= through
			const more = page.last > seq && !whole
			if (openEnd === null || messages.length > 0 || rows >= mostRows) {
				const to = openEnd === null ? page.last : Math.max(seq, openEnd - 1)
				// A message whose rest has not come ends it.
				const stuck = to === seq
				this.#end = { at: to, state: openEnd === null ? page.end : null }
				return { messages: [...missing, ...messages], place: to, more: more && !stuck }
			}
			if (!more) return { messages: [], place: seq, more: false }
		}
	}

	async before(seq: number, limit: number): Promise<MessagePage> {
		for (let rows = limit; ; rows *= 4) {
			const page = await this.#reader.before(seq, rows)
			const from = Math.max(1, seq - rows)
			const { messages } = assemble(this.#session, page.rows, from === 1)
			const first = messages[0]?.seq ?? seq
			if (messages.length > 0 || from === 1 || rows >= mostRows) {
				const place = messages.length > 0 ? first : from
				return { messages, place, more: place > 1 }
			}
		}
	}

	async rows(seq: number, count: number): Promise<MessageRow[]> {
		const found = await this.#account.gateway.readMessages(this.#session, {
			after: seq - 1,
			limit: count,
		})
		return found
			.filter((row) => row.seq >= seq && row.seq < seq + count)
			.sort((a, b) => a.seq - b.seq)
	}
}
