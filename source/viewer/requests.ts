/** Permission requests across all sessions: pending ones and past ones, opened and checked. */
import type { Account } from '../account/account.ts'
import type { ScopeKeys } from '../account/key-ring.ts'
import type { AccountHint, MessageRow, RequestRow, SessionRow } from '../backend/gateway.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import { type Body, requestStatuses } from '../protocol/events.ts'
import { assessRisk } from '../risk/risk.ts'
import { assemble, type CheckedMessage } from './checked-message.ts'
import { decidedBy, findAnswer } from './decided.ts'
import { endOf, type OpenedRequest, openRequestsOf } from './open-requests.ts'
import { Value } from './readable.ts'
import { SessionReader } from './session-reader.ts'
import type { RequestView } from './viewer.ts'

/** Past requests shown at first. */
const pastShown = 50
const maxPending = 500
/** Rows of a session's live channel in which a new request is looked for. */
const recentKept = 8

type RequestHint = Extract<AccountHint, { type: 'request' }>

/** A request with where it stands in its session. */
export interface PlacedRequest extends RequestView {
	seq: number
}

function knownStatus(status: string): RequestView['status'] {
	return requestStatuses.find((known) => known === status) ?? 'pending'
}

/**
 * Opens one request. One that can't be opened or verified keeps its place, with the reason: it can be
 * denied, never approved.
 */
export async function openRequest(
	account: Account,
	row: RequestRow,
	about: { agent: string; project: string | null },
): Promise<PlacedRequest> {
	const reader = new SessionReader(account, row.session)
	const message = await reader.at(row.seq)
	const base = placed(account, { row, message, about, keys: await reader.keys() })
	if (base.status === 'pending') return base
	return withAnswer(account, base, reader)
}

interface Found {
	row: RequestRow
	message: CheckedMessage
	about: { agent: string; project: string | null }
	keys: ScopeKeys
}

/** A request by the message that it is, and else by what the server says of it. */
function placed(account: Account, { row, message, about, keys: { by } }: Found): PlacedRequest {
	const body = requestBody(message, row.id)
	const revoked = by !== null && account.log.state.devices.get(by)?.revoked
	const problem =
		message.problem ??
		(body ? null : 'the message it points to is not this permission request') ??
		(revoked ? 'the device that hosts this session was revoked' : null)
	return {
		id: row.id,
		session: row.session,
		seq: row.seq,
		...about,
		status: knownStatus(row.status),
		body,
		digest: body ? message.digest : null,
		problem,
		risk: body ? assessRisk(body) : null,
		createdAt: body ? message.at : row.created_at,
		expiresAt: body?.expires_at ?? row.expires_at,
		decided: null,
	}
}

function requestBody(message: CheckedMessage, id: string): Body<'permission_request'> | null {
	if (message.kind !== 'permission_request' || !message.body) return null
	const body = message.body as Body<'permission_request'>
	return body.request === id ? body : null
}

async function withAnswer(
	account: Account,
	request: PlacedRequest,
	reader: SessionReader,
): Promise<PlacedRequest> {
	const session = await account.gateway.readSession(request.session)
	const through = Math.max(reader.through(session), request.seq)
	const answer = await findAnswer(reader, { id: request.id, seq: request.seq, through })
	if (!answer)
		return { ...request, problem: request.problem ?? 'the host has not said who decided' }
	return answered(account, request, answer)
}

/** A request together with the host's answer to it; the signed answer counts, not the server's word. */
export function answered(
	account: Account,
	request: PlacedRequest,
	answer: CheckedMessage,
): PlacedRequest {
	const decided = decidedBy(account, answer, request)
	return decided ? { ...request, status: decided.result, decided } : request
}

interface About {
	agent: string
	project: string | null
}

export class RequestList {
	readonly requests = new Value<readonly PlacedRequest[]>([])
	readonly #account: Account
	readonly #about: (session: string) => About | null
	readonly #known = new Map<string, PlacedRequest>()
	readonly #running = new Map<string, Promise<void>>()
	/** The last rows that came over the live channel, by session. */
	readonly #recent = new Map<string, readonly MessageRow[]>()
	/** Requests that are asked for and not known yet, with their session. */
	readonly #awaited = new Map<string, string>()

	/** `about`: what is known of a session, `null` where it has not been listed. */
	constructor(account: Account, about: (session: string) => About | null) {
		this.#account = account
		this.#about = about
	}

	/** Reads what is pending and the newest past ones. */
	async refresh(): Promise<void> {
		const { gateway } = this.#account
		const [pending, recent] = await Promise.all([
			gateway.listRequests({ status: 'pending', limit: maxPending }),
			gateway.listRequests({ status: 'all', limit: pastShown }),
		])
		const rows = new Map([...recent, ...pending].map((row) => [row.id, row]))
		// A request that the server says nothing about any more is asked for by itself.
		for (const known of this.#known.values()) {
			if (known.status === 'pending' && !rows.has(known.id)) void this.refreshOne(known.id)
		}
		const waiting = [...rows.values()].filter((row) => row.status === 'pending')
		await Promise.all(waiting.map((row) => this.#take(row)))
		await Promise.all(waiting.map(({ id }) => this.#lookForAnswer(id)))
		const past = [...rows.values()].filter((row) => row.status !== 'pending')
		await Promise.all(past.map((row) => this.#take(row)))
	}

	/** What the host has answered does not wait, whatever the server says. */
	async #lookForAnswer(id: string): Promise<void> {
		const known = this.#known.get(id)
		if (known?.status !== 'pending' || known.body === null) return
		const { session, seq } = known
		try {
			const row = await this.#account.gateway.readSession(session)
			const reader = new SessionReader(this.#account, session)
			const through = Math.max(reader.through(row), seq)
			const answer = await findAnswer(reader, { id, seq, through })
			if (answer) this.answer(id, answer)
		} catch (error) {
			if (!(error instanceof StyrbyError) || error.code === 'backend_unreachable') throw error
		}
	}

	/** Reads one request again, after a hint. */
	refreshOne(id: string): Promise<void> {
		const before = this.#running.get(id) ?? Promise.resolve()
		const next = before.then(async () => {
			const row = await this.#account.gateway.readRequest(id)
			if (row) await this.#take(row)
		})
		this.#running.set(id, next)
		return next.finally(() => {
			if (this.#running.get(id) === next) this.#running.delete(id)
		})
	}

	/**
	 * The server says that a request has come or has changed. It is asked for; a new one may be here before that,
	 * over the session's live channel.
	 */
	async hinted({ request, session, status }: RequestHint): Promise<void> {
		if (status === 'pending' && !this.#known.has(request)) {
			this.#awaited.set(request, session)
			this.#safely(this.#lookIn(session, request))
		}
		await this.refreshOne(request).finally(() => this.#awaited.delete(request))
	}

	/** Rows that came over a session's live channel. */
	pushed(session: string, rows: readonly MessageRow[]): void {
		this.#recent.set(session, rows.slice(-recentKept))
		for (const [request, of] of this.#awaited) {
			if (of === session) this.#safely(this.#lookIn(session, request))
		}
	}

	/** Takes a request from what came last, if it is there and holds. */
	async #lookIn(session: string, id: string): Promise<void> {
		const about = this.#about(session)
		const recent = this.#recent.get(session)
		if (!about || !recent) return
		const reader = new SessionReader(this.#account, session)
		const keys = await reader.keysOf(recent)
		for (const { seq, created_at } of recent.toReversed()) {
			const one = recent.filter((row) => row.seq === seq)
			const checked = await reader.check(one, keys, { from: seq, to: seq })
			const [message] = assemble(session, checked.rows).messages
			const body = message && requestBody(message, id)
			if (!message || !body) continue
			if (this.#known.has(id)) return
			const { expires_at } = body
			const row = { id, session, seq, status: 'pending', created_at, expires_at, closed_at: null }
			this.#put(placed(this.#account, { row, message, about, keys }))
			return
		}
	}

	/** What does not hold here is looked at as it is stored. */
	#safely(work: Promise<void>): void {
		work.catch((error: unknown) => {
			if (!(error instanceof StyrbyError)) throw error
		})
	}

	get(id: string): PlacedRequest | undefined {
		return this.#known.get(id)
	}

	/** Takes over the host's signed answer as soon as it was seen. */
	answer(id: string, answer: CheckedMessage): void {
		const known = this.#known.get(id)
		if (known) this.#put(answered(this.#account, known, answer))
	}

	async #take(row: RequestRow): Promise<void> {
		const known = this.#known.get(row.id)
		if (known?.decided && known.seq === row.seq) return
		if (known && known.status === row.status && known.problem === null) return
		let about: About = { agent: 'unknown', project: null }
		try {
			about = this.#about(row.session) ?? (await this.#aboutUnlisted(row.session))
			this.#put(await openRequest(this.#account, row, about))
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			if (error.code === 'backend_unreachable') throw error
			this.#put(unreadable(row, about, error.message))
		}
	}

	async #aboutUnlisted(id: string): Promise<About> {
		const row = await this.#account.gateway.readSession(id)
		if (!row) {
			throw refused('session_withheld', 'the server does not show the session that it belongs to')
		}
		return { agent: row.agent, project: row.project }
	}

	/**
	 * Looks in the messages of sessions for requests that the server does not list, or lists as decided. Such
	 * a one is put among those that wait, with its problem. `read`: shown the messages that were read for it.
	 */
	async lookForHidden(
		sessions: readonly SessionRow[],
		now: Date,
		read?: (session: SessionRow, messages: readonly CheckedMessage[]) => void,
	): Promise<void> {
		for (const session of sessions) {
			try {
				const messages = await endOf(this.#account, session)
				read?.(session, messages)
				for (const one of openRequestsOf(messages, now)) await this.#takeOpen(one)
			} catch (error) {
				if (!(error instanceof StyrbyError) || error.code === 'backend_unreachable') throw error
			}
		}
	}

	async #takeOpen({ message, body }: OpenedRequest): Promise<void> {
		const { session, seq, digest, at } = message
		const id = body.request
		const waits = () => {
			const known = this.#known.get(id)
			return known?.decided || (known?.status === 'pending' && known.body !== null)
		}
		if (waits()) return
		// It may have come, or been answered, after the list was read.
		await this.refreshOne(id)
		if (waits()) return
		const reader = new SessionReader(this.#account, session)
		const through = reader.through(await this.#account.gateway.readSession(session))
		const answer = await findAnswer(reader, { id, seq, through: Math.max(through, seq) })
		if (answer) return
		const about = this.#about(session) ?? { agent: 'unknown', project: null }
		this.#put({
			...{ id, session, seq, ...about, body, digest },
			status: 'pending',
			problem: 'the server does not list this request among those that wait',
			risk: assessRisk(body),
			createdAt: at,
			expiresAt: body.expires_at,
			decided: null,
		})
	}

	#put(request: PlacedRequest): void {
		this.#known.set(request.id, request)
		const all = [...this.#known.values()]
		const time = (at: string) => Date.parse(at)
		const pending = all
			.filter((one) => one.status === 'pending')
			.sort((a, b) => time(a.createdAt) - time(b.createdAt) || (a.id < b.id ? -1 : 1))
		const past = all
			.filter((one) => one.status !== 'pending')
			.sort((a, b) => time(b.createdAt) - time(a.createdAt) || (a.id < b.id ? 1 : -1))
		this.requests.set([...pending, ...past])
	}
}

function unreadable(
	row: RequestRow,
	about: { agent: string; project: string | null },
	problem: string,
): PlacedRequest {
	return {
		id: row.id,
		session: row.session,
		seq: row.seq,
		...about,
		status: knownStatus(row.status),
		body: null,
		digest: null,
		problem,
		risk: null,
		createdAt: row.created_at,
		expiresAt: row.expires_at,
		decided: null,
	}
}
