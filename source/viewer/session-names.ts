/** Agents and projects of sessions that are met going back in time: learned page by page, as far as needed. */
import type { Account } from '../account/account.ts'
import { assertCountable } from '../account/sharing.ts'
import type { SessionRow } from '../backend/gateway.ts'
import { StyrbyError } from '../protocol/errors.ts'
import { openedLabel } from './row-check.ts'
import { loadHosts } from './session-summary.ts'

export interface SessionName {
	agent: string
	project: string | null
}

const listPage = 500

export class SessionNames {
	readonly #account: Account
	readonly #known = new Map<string, SessionName>()
	#place: { before?: string; beforeId?: string } = {}
	/** Time of the last row of the list that was read, ms. */
	#listed = Number.POSITIVE_INFINITY
	#complete = false

	constructor(account: Account) {
		this.#account = account
	}

	/** `null`: the server has no such session. */
	get(session: string): SessionName | null {
		return this.#known.get(session) ?? null
	}

	/**
	 * Learns these sessions, in which something happened at `at` (ms) or later, and loads their keys. Whatever
	 * happened then is in a session that was active since: the list is read back to there, and no further.
	 */
	async learn(sessions: ReadonlySet<string>, at: number): Promise<void> {
		const lacking = () => [...sessions].filter((id) => !this.#known.has(id))
		while (!this.#complete && this.#listed >= at && lacking().length > 0) await this.#more()
		for (const id of lacking()) {
			const row = await this.#account.gateway.readSession(id)
			if (row) await this.#take([row])
		}
	}

	async #more(): Promise<void> {
		const before = this.#known.size
		const rows = await this.#account.gateway.listSessions({ limit: listPage, ...this.#place })
		await this.#take(rows)
		const last = rows.at(-1)
		// A server that repeats itself is not listened to for ever.
		this.#complete = !last || rows.length < listPage || this.#known.size === before
		if (!last) return
		this.#listed = Date.parse(last.last_activity_at)
		this.#place = { before: last.last_activity_at, beforeId: last.id }
	}

	async #take(rows: readonly SessionRow[]): Promise<void> {
		await loadHosts(this.#account, rows)
		for (const row of rows) {
			const opened = openedLabel(this.#account, row)
			// What its host has sealed goes before what the server says.
			const label = opened instanceof StyrbyError ? null : opened
			const project = label?.project ?? row.project
			this.#known.set(row.id, { agent: row.agent, project })
		}
		assertCountable(this.#known.size)
	}
}
