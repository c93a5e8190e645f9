/**
 * A backend in memory: the whole `Gateway`, with the errors of the SQL functions and the live channel's
 * manners (a hint comes later than the call, to everyone who follows; frames reach all but their sender;
 * nothing comes while the line is cut). `faults` is for tests of what the host does then.
 */
import type {
	AccessRow,
	AccountHint,
	AppendRow,
	Channel,
	EpochRow,
	Gateway,
	GrantRow,
	LogRow,
	MachineKeyRow,
	MailRow,
	MessageRow,
	PairingRow,
	PostedPairing,
	RequestRow,
	SessionHint,
	SessionRow,
} from '../../source/backend/gateway.ts'
import { decodeUtf8, fromBase64 } from '../../source/protocol/bytes.ts'
import { exit, StyrbyError } from '../../source/protocol/errors.ts'
import type { RequestStatus } from '../../source/protocol/events.ts'

const maxRows = 500
const maxCiphertext = 256 * 1024
const maxInline = 16 * 1024

interface StoredSession {
	account: string
	row: SessionRow
	messages: MessageRow[]
}

interface Follower<Hint> {
	account: string
	topic: string
	listener: (hint: Hint) => void
	channel: object
}

export interface Faults {
	/** Every call fails with `backend_unreachable`, every channel is lost. */
	offline: boolean
	/** The live channel brings nothing, though it looks joined. */
	silent: boolean
	/** Called before and after each call; throwing after it means that it was done but not heard. */
	before?: ((name: string) => void | Promise<void>) | undefined
	after?: ((name: string) => void | Promise<void>) | undefined
}

function unreachable(): StyrbyError {
	return new StyrbyError('backend_unreachable', 'The backend is out of reach.', {
		exitCode: exit.unreachable,
	})
}

function failure(code: string, cause?: unknown): StyrbyError {
	return new StyrbyError(code, `The backend said ${code}.`, { cause })
}

function same(a: MessageRow, b: MessageRow): boolean {
	return (
		a.epoch === b.epoch &&
		a.nonce === b.nonce &&
		a.ciphertext === b.ciphertext &&
		a.signature === b.signature &&
		a.created_at === b.created_at
	)
}

export class MemoryBackend {
	readonly faults: Faults = { offline: false, silent: false }
	readonly sessions = new Map<string, StoredSession>()
	readonly logs = new Map<string, LogRow[]>()
	readonly epochs = new Map<string, EpochRow & { account: string }>()
	readonly grants = new Map<string, GrantRow & { account: string }>()
	readonly requests = new Map<string, RequestRow & { account: string }>()
	readonly mail = new Map<string, MailRow & { account: string }>()
	readonly pairings = new Map<string, PostedPairing & { account: string }>()
	/** Names of the calls that came in, for tests that count. */
	readonly calls: string[] = []
	readonly #sessionFollowers = new Set<Follower<SessionHint>>()
	readonly #accountFollowers = new Set<Follower<AccountHint>>()
	readonly #now: () => Date

	constructor(now: () => Date = () => new Date()) {
		this.#now = now
	}

	/** A signed-in client of one account. */
	gateway(account: string): Gateway {
		return new MemoryGateway(this, account)
	}

	time(): string {
		return this.#now().toISOString()
	}

	cut(): void {
		this.faults.offline = true
		for (const { listener } of this.#sessionFollowers) listener({ type: 'lost', why: 'cut' })
		for (const { listener } of this.#accountFollowers) listener({ type: 'lost', why: 'cut' })
	}

	mend(): void {
		this.faults.offline = false
		for (const { listener } of this.#sessionFollowers) later(() => listener({ type: 'joined' }))
		for (const { listener } of this.#accountFollowers) later(() => listener({ type: 'joined' }))
	}

	followSession(follower: Follower<SessionHint>): () => void {
		return this.#follow(this.#sessionFollowers, follower)
	}

	followAccount(follower: Follower<AccountHint>): () => void {
		return this.#follow(this.#accountFollowers, follower)
	}

	#follow<Hint>(
		followers: Set<Follower<Hint | { type: 'joined' }>>,
		follower: Follower<Hint | { type: 'joined' }>,
	): () => void {
		followers.add(follower)
		later(() => {
			if (followers.has(follower) && !this.faults.offline) follower.listener({ type: 'joined' })
		})
		return () => followers.delete(follower)
	}

	tellSession(id: string, hint: SessionHint, from?: object): void {
		this.#tell(this.#sessionFollowers, `session:${id}`, hint, from)
	}

	tellAccount(id: string, hint: AccountHint): void {
		this.#tell(this.#accountFollowers, `account:${id}`, hint)
	}

	#tell<Hint>(followers: Set<Follower<Hint>>, topic: string, hint: Hint, from?: object): void {
		for (const follower of followers) {
			if (follower.topic !== topic || follower.channel === from) continue
			const copy = structuredClone(hint)
			later(() => {
				const heard = followers.has(follower) && !this.faults.offline && !this.faults.silent
				if (heard) follower.listener(copy)
			})
		}
	}
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0
}

function spent(row: MessageRow): boolean {
	const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd } = row
	return input_tokens + output_tokens + cache_read_tokens + cache_write_tokens > 0 || cost_usd > 0
}

function later(work: () => void): void {
	setImmediate(work)
}

class MemoryGateway implements Gateway {
	readonly account: string
	readonly url = 'memory://'
	readonly #backend: MemoryBackend
	readonly #channels = new Set<AsyncDisposable>()

	constructor(backend: MemoryBackend, account: string) {
		this.#backend = backend
		this.account = account
	}

	/** One call: over the (possibly broken) line, alone, with copies both ways as on a wire. */
	async #call<T>(name: string, work: (backend: MemoryBackend) => T): Promise<T> {
		const { faults } = this.#backend
		await new Promise<void>((resolve) => setImmediate(resolve))
		if (faults.offline) throw unreachable()
		await faults.before?.(name)
		this.#backend.calls.push(name)
		const result = structuredClone(work(this.#backend))
		await faults.after?.(name)
		if (faults.offline) throw unreachable()
		return result
	}

	#session(backend: MemoryBackend, id: string): StoredSession {
		const session = backend.sessions.get(id)
		if (session?.account !== this.account) throw failure('no_such_session')
		return session
	}

	readLog(after: number): Promise<LogRow[]> {
		return this.#call('read_log', ({ logs }) =>
			(logs.get(this.account) ?? []).filter((row) => row.seq > after),
		)
	}

	appendLog(row: LogRow): Promise<void> {
		return this.#call('append_log', (backend) => {
			const log = backend.logs.get(this.account) ?? []
			if (row.seq !== log.length) throw failure('log_conflict')
			backend.logs.set(this.account, [...log, { ...row }])
			backend.tellAccount(this.account, { type: 'log', seq: row.seq })
		})
	}

	machineKeys(): Promise<MachineKeyRow[]> {
		return this.#call('machine_keys', ({ logs }) => {
			const keys = new Map<string, MachineKeyRow>()
			for (const row of logs.get(this.account) ?? []) {
				const entry = JSON.parse(decodeUtf8(fromBase64(row.entry)))
				if (entry.type === 'genesis' || entry.type === 'add') {
					const { id, box, sign, kind } = entry.device
					const times = { added_at: entry.at, revoked_at: null, last_seen_at: null }
					keys.set(id, { device: id, box, sign, kind, ...times })
				}
				const revoked = entry.type === 'revoke' ? keys.get(entry.device) : undefined
				if (revoked) keys.set(entry.device, { ...revoked, revoked_at: entry.at })
			}
			return [...keys.values()]
		})
	}

	createSession(session: Parameters<Gateway['createSession']>[0]): Promise<void> {
		return this.#call('create_session', (backend) => {
			const there = backend.sessions.get(session.id)
			if (there) {
				if (there.account !== this.account) throw failure('no_such_session')
				return
			}
			const { id, agent, host, project, label, started_at } = session
			const row: SessionRow = {
				id,
				agent,
				host,
				project,
				label,
				started_at,
				status: 'starting',
				last_activity_at: started_at,
				ended_at: null,
				last_seq: 0,
				pending: 0,
				tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
				cost_usd: 0,
			}
			backend.sessions.set(id, { account: this.account, row, messages: [] })
			this.#storeEpoch(backend, session.epoch)
			this.#storeGrants(backend, session.grants)
			backend.tellAccount(this.account, { type: 'sessions', session: id })
		})
	}

	updateSession(id: string, change: Parameters<Gateway['updateSession']>[1]): Promise<void> {
		return this.#call('update_session', (backend) => {
			const session = this.#session(backend, id)
			session.row = { ...session.row, ...change }
			backend.tellAccount(this.account, { type: 'sessions', session: id })
		})
	}

	listSessions(query: Parameters<Gateway['listSessions']>[0]): Promise<SessionRow[]> {
		return this.#call('list_sessions', ({ sessions }) =>
			[...sessions.values()]
				.filter((session) => session.account === this.account)
				.map((session) => session.row)
				.filter((row) => isBefore(row, query))
				.filter((row) => query.agent === undefined || row.agent === query.agent)
				.filter((row) => query.status === undefined || query.status.includes(row.status))
				.sort((a, b) => {
					if (a.last_activity_at !== b.last_activity_at) {
						return a.last_activity_at < b.last_activity_at ? 1 : -1
					}
					return a.id < b.id ? 1 : -1
				})
				.slice(0, query.limit),
		)
	}

	readSession(id: string): Promise<SessionRow | null> {
		return this.#call('read_session', ({ sessions }) => {
			const session = sessions.get(id)
			return session?.account === this.account ? session.row : null
		})
	}

	#ownsScope(backend: MemoryBackend, scope: string): boolean {
		const [kind, id = ''] = scope.split(':')
		if (kind === 'account') return id === this.account
		return backend.sessions.get(id)?.account === this.account
	}

	#storeEpoch(backend: MemoryBackend, epoch: EpochRow): void {
		if (!this.#ownsScope(backend, epoch.scope)) throw failure('no_such_session')
		const name = `${epoch.scope}/${epoch.epoch}`
		const there = backend.epochs.get(name)
		if (there && there.record !== epoch.record) throw failure('epoch_conflict')
		backend.epochs.set(name, { ...epoch, account: this.account })
	}

	#storeGrants(backend: MemoryBackend, grants: readonly GrantRow[]): void {
		for (const grant of grants) {
			if (!backend.epochs.has(`${grant.scope}/${grant.epoch}`)) throw failure('no_such_epoch')
			const name = `${grant.scope}/${grant.epoch}/${grant.to}/${grant.by}`
			if (!backend.grants.has(name)) backend.grants.set(name, { ...grant, account: this.account })
		}
	}

	putEpoch(epoch: EpochRow, grants: GrantRow[]): Promise<void> {
		return this.#call('put_epoch', (backend) => {
			this.#storeEpoch(backend, epoch)
			this.#storeGrants(backend, grants)
		})
	}

	putGrants(grants: GrantRow[]): Promise<void> {
		return this.#call('put_grants', (backend) => this.#storeGrants(backend, grants))
	}

	readKeys(
		scopes: readonly string[],
		device: string,
	): Promise<{ epochs: EpochRow[]; grants: GrantRow[] }> {
		return this.#call('read_keys', ({ epochs, grants }) => {
			const wanted = <T extends { scope: string; account: string }>(row: T) =>
				row.account === this.account && scopes.includes(row.scope)
			return {
				epochs: [...epochs.values()].filter(wanted).map(withoutAccount),
				grants: [...grants.values()]
					.filter((row) => wanted(row) && row.to === device)
					.map(withoutAccount),
			}
		})
	}

	listKeyGaps(
		query: Parameters<Gateway['listKeyGaps']>[0],
	): Promise<{ scopes: string[]; left: number }> {
		return this.#call('list_key_gaps', ({ grants }) => {
			const { to, by, after, again = false } = query
			const own = [...grants.values()].filter((row) => row.account === this.account)
			const given = new Set(
				own
					.filter((row) => row.to === to && (!again || row.by === by))
					.map((row) => `${row.scope}/${row.epoch}`),
			)
			const gaps = own
				.filter((row) => row.to === by && row.scope > (after ?? ''))
				.filter((row) => !given.has(`${row.scope}/${row.epoch}`))
			const scopes = [...new Set(gaps.map((row) => row.scope))].sort(compare)
			return { scopes: scopes.slice(0, 500), left: scopes.length }
		})
	}

	listAccess(
		query: Parameters<Gateway['listAccess']>[0],
	): Promise<{ scopes: AccessRow[]; more: boolean }> {
		return this.#call('list_access', ({ epochs, grants }) => {
			const own = [...epochs.values()].filter((row) => row.account === this.account)
			const all = [...new Set(own.map((row) => row.scope))]
				.filter((scope) => scope > (query.after ?? '') && (query.scopes?.includes(scope) ?? true))
				.sort(compare)
			const scopes = all.slice(0, 200).map((scope) => ({
				scope,
				epochs: own.filter((row) => row.scope === scope).length,
				grants: [...grants.values()]
					.filter((row) => row.account === this.account && row.scope === scope)
					.filter((row) => query.to === undefined || row.to === query.to)
					.map(({ epoch, to, by, created_at }) => ({ epoch, to, by, created_at })),
			}))
			return { scopes, more: all.length > 200 }
		})
	}

	countAccess(): Promise<{ device: string; sessions: number }[]> {
		return this.#call('count_access', ({ grants }) => {
			const counted = new Map<string, Set<string>>()
			for (const { account, scope, to } of grants.values()) {
				if (account !== this.account || !scope.startsWith('session:')) continue
				counted.set(to, (counted.get(to) ?? new Set()).add(scope))
			}
			return [...counted].map(([device, scopes]) => ({ device, sessions: scopes.size }))
		})
	}

	postPairing(pairing: PairingRow): Promise<void> {
		return this.#call('post_pairing', (backend) => {
			const there = this.#pairing(backend, pairing.id)
			if (there && there.ciphertext !== pairing.ciphertext) throw failure('pairing_conflict')
			if (there) return
			const { account } = this
			const row = { ...pairing, account, created_at: backend.time(), answer: null }
			backend.pairings.set(pairing.id, row)
		})
	}

	#pairing(backend: MemoryBackend, id: string): (PostedPairing & { account: string }) | null {
		const row = backend.pairings.get(id)
		if (row?.account !== this.account) return null
		const age = Date.parse(backend.time()) - Date.parse(row.created_at)
		return age < 10 * 60_000 ? row : null
	}

	readPairing(id: string): Promise<PostedPairing | null> {
		return this.#call('read_pairing', (backend) => {
			const row = this.#pairing(backend, id)
			return row ? withoutAccount(row) : null
		})
	}

	answerPairing({ id, nonce, ciphertext }: PairingRow): Promise<void> {
		return this.#call('answer_pairing', (backend) => {
			const row = this.#pairing(backend, id)
			if (!row) throw failure('no_such_pairing')
			if (row.answer && row.answer.ciphertext !== ciphertext) throw failure('pairing_answered')
			backend.pairings.set(id, { ...row, answer: { nonce, ciphertext } })
		})
	}

	deletePairing(id: string): Promise<void> {
		return this.#call('delete_pairing', (backend) => {
			if (this.#pairing(backend, id)) backend.pairings.delete(id)
		})
	}

	appendMessages(id: string, rows: readonly AppendRow[]): Promise<number> {
		return this.#call('append_messages', (backend) => {
			const session = this.#session(backend, id)
			if (rows.length > maxRows) throw failure('too_many_rows')
			const before = session.messages.length
			let last = before
			for (const row of rows) {
				if (row.session_id !== id || row.ciphertext.length > (maxCiphertext * 4) / 3 + 4) {
					throw failure('malformed_row')
				}
				const there = session.messages[row.seq - 1]
				if (there && !same(there, row)) throw failure('append_conflict')
				if (row.seq > last + 1) throw failure('append_gap', { last_seq: last })
				if (!there) last = row.seq
			}
			for (const { opens, closes, ...row } of rows) {
				if (row.seq <= session.messages.length) continue
				session.messages.push({ ...row })
				this.#count(session, row)
				if (opens) this.#open(backend, session, row, opens)
				if (closes) this.#close(backend, session, closes)
			}
			const added = session.messages.slice(before)
			if (added.length > 0) this.#announce(backend, id, before + 1, added)
			return session.messages.length
		})
	}

	#count(session: StoredSession, row: MessageRow): void {
		const { tokens, cost_usd } = session.row
		session.row = {
			...session.row,
			last_seq: row.seq,
			last_activity_at: [row.created_at, session.row.last_activity_at].sort()[1] ?? row.created_at,
			cost_usd: cost_usd + row.cost_usd,
			tokens: {
				input: tokens.input + row.input_tokens,
				output: tokens.output + row.output_tokens,
				cache_read: tokens.cache_read + row.cache_read_tokens,
				cache_write: tokens.cache_write + row.cache_write_tokens,
			},
		}
	}

	#open(
		backend: MemoryBackend,
		session: StoredSession,
		row: MessageRow,
		opens: { request: string; expires_at: string },
	): void {
		if (backend.requests.has(opens.request)) return
		backend.requests.set(opens.request, {
			account: this.account,
			id: opens.request,
			session: row.session_id,
			seq: row.seq,
			status: 'pending',
			created_at: row.created_at,
			expires_at: opens.expires_at,
			closed_at: null,
		})
		session.row = { ...session.row, pending: session.row.pending + 1 }
		this.#tellRequest(backend, opens.request, row.session_id, 'pending')
	}

	#close(
		backend: MemoryBackend,
		session: StoredSession,
		closes: { request: string; status: RequestStatus },
	): void {
		const request = backend.requests.get(closes.request)
		if (request?.session !== session.row.id || request.status !== 'pending') return
		const closed = { ...request, status: closes.status, closed_at: backend.time() }
		backend.requests.set(closes.request, closed)
		session.row = { ...session.row, pending: session.row.pending - 1 }
		this.#tellRequest(backend, closes.request, session.row.id, closes.status)
	}

	#tellRequest(backend: MemoryBackend, request: string, session: string, status: string): void {
		backend.tellAccount(this.account, { type: 'request', request, session, status })
	}

	#announce(backend: MemoryBackend, session: string, from: number, rows: MessageRow[]): void {
		const size = rows.reduce((sum, row) => sum + JSON.stringify(row).length, 0)
		backend.tellSession(session, {
			type: 'messages',
			session,
			from,
			to: from + rows.length - 1,
			rows: size <= maxInline ? rows : null,
		})
		backend.tellAccount(this.account, { type: 'sessions', session })
	}

	readMessages(id: string, range: Parameters<Gateway['readMessages']>[1]): Promise<MessageRow[]> {
		return this.#call('read_messages', (backend) => {
			const { messages } = this.#session(backend, id)
			if ('after' in range) {
				return messages.filter((row) => row.seq > range.after).slice(0, range.limit)
			}
			return messages.filter((row) => row.seq < range.before).slice(-range.limit)
		})
	}

	readSpending({
		before,
		limit,
	}: Parameters<Gateway['readSpending']>[0]): Promise<{ rows: MessageRow[]; more: boolean }> {
		return this.#call('read_spending', ({ sessions }) => {
			const place = (row: MessageRow) =>
				`${row.created_at} ${row.session_id} ${String(row.seq).padStart(16, '0')}`
			const end = before && `${before.at} ${before.session} ${String(before.seq).padStart(16, '0')}`
			const all = [...sessions.values()]
				.filter(({ account }) => account === this.account)
				.flatMap(({ messages }) => messages)
				.filter((row) => spent(row) && (end === null || place(row) < end))
				.sort((a, b) => compare(place(b), place(a)))
			return { rows: all.slice(0, limit), more: all.length > limit }
		})
	}

	listRequests(query: Parameters<Gateway['listRequests']>[0]): Promise<RequestRow[]> {
		return this.#call('list_requests', ({ requests }) => {
			const rows = [...requests.values()]
				.filter((row) => row.account === this.account)
				.filter((row) => query.session === undefined || row.session === query.session)
				.filter((row) => query.status === 'all' || row.status === 'pending')
				.sort((a, b) => compare(a.created_at, b.created_at) || compare(a.id, b.id))
			if (query.status === 'all') rows.reverse()
			return rows.slice(0, query.limit).map(withoutAccount)
		})
	}

	readRequest(id: string): Promise<RequestRow | null> {
		return this.#call('read_request', ({ requests }) => {
			const request = requests.get(id)
			return request?.account === this.account ? withoutAccount(request) : null
		})
	}

	postMail(mail: Omit<MailRow, 'created_at'>): Promise<void> {
		return this.#call('post_mail', (backend) => {
			this.#session(backend, mail.session)
			if (backend.mail.has(mail.id)) return
			const row = { ...mail, created_at: backend.time() }
			backend.mail.set(mail.id, { ...row, account: this.account })
			backend.tellAccount(this.account, { type: 'mail', mail: row })
		})
	}

	readMail(device: string): Promise<MailRow[]> {
		return this.#call('read_mail', ({ mail }) =>
			[...mail.values()]
				.filter((row) => row.account === this.account && row.to === device)
				.map(withoutAccount),
		)
	}

	deleteMail(ids: readonly string[]): Promise<void> {
		return this.#call('delete_mail', ({ mail }) => {
			for (const id of ids) if (mail.get(id)?.account === this.account) mail.delete(id)
		})
	}

	followSession(id: string, listener: (hint: SessionHint) => void): Channel {
		const backend = this.#backend
		const channel = {}
		if (!this.#ownsScope(backend, `session:${id}`)) {
			later(() => listener({ type: 'lost', why: 'not allowed' }))
			return this.#channel(
				() => {},
				() => {},
			)
		}
		const topic = `session:${id}`
		const leave = backend.followSession({ account: this.account, topic, listener, channel })
		return this.#channel(leave, (hint) => {
			if (!backend.faults.offline) backend.tellSession(id, hint, channel)
		})
	}

	followAccount(listener: (hint: AccountHint) => void): Channel {
		const topic = `account:${this.account}`
		const follower = { account: this.account, topic, listener, channel: {} }
		return this.#channel(this.#backend.followAccount(follower), () => {})
	}

	#channel(leave: () => void, send: Channel['send']): Channel {
		const channel: Channel = {
			send,
			[Symbol.asyncDispose]: async () => {
				leave()
				this.#channels.delete(channel)
			},
		}
		this.#channels.add(channel)
		return channel
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const channel of this.#channels) await channel[Symbol.asyncDispose]()
	}
}

function withoutAccount<T extends { account: string }>({
	account: _,
	...row
}: T): Omit<T, 'account'> {
	return row
}

/** Whether a session comes after a place in the list, which has the newest first. */
function isBefore(
	{ last_activity_at, id }: SessionRow,
	{
		before,
		beforeId = '00000000-0000-0000-0000-000000000000',
	}: Parameters<Gateway['listSessions']>[0],
): boolean {
	if (before === undefined || last_activity_at < before) return true
	return last_activity_at === before && id < beforeId
}
