/** The gateway over supabase-js: to the embedded backend and to Supabase alike. */
import { dataClient, type Endpoint } from './client.ts'
import { malformedAnswer } from './failure.ts'
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
} from './gateway.ts'
import { accountHint, sessionHint } from './hints.ts'
import { Live } from './live.ts'
import * as pages from './pages.ts'
import { Rpc } from './rpc.ts'
import * as schemas from './schemas.ts'
import type { TopicListener } from './topic.ts'

export interface GatewayOptions extends Endpoint {
	/** Id of the signed-in account. */
	account: string
	/** A token that is valid for some minutes yet. Throws `not_signed_in`, `backend_unreachable`. */
	accessToken: () => Promise<string>
	/** Ends all calls with `interrupted`. */
	signal?: AbortSignal
	/** What to do about a backend without the functions, the end of a sentence. */
	schemaHelp?: string
}

/** Connects when first used. Throws `bad_backend_url`. */
export function connectGateway(options: GatewayOptions): Gateway {
	return new SupabaseGateway(options)
}

/** A device is noted as seen at most this often, ms. */
const touchInterval = 5 * 60_000

class SupabaseGateway implements Gateway {
	readonly account: string
	readonly url: string
	readonly #rpc: Rpc
	readonly #live: Live
	readonly #closing = new AbortController()
	readonly #touched = new Map<string, number>()

	constructor(options: GatewayOptions) {
		const { accessToken, signal, schemaHelp } = options
		this.account = options.account
		this.url = options.url
		const client = dataClient(options, accessToken)
		const closing = this.#closing.signal
		const ends = signal ? AbortSignal.any([signal, closing]) : closing
		this.#rpc = new Rpc({ client, accessToken, signal: ends, schemaHelp })
		this.#live = new Live(client, accessToken)
	}

	readLog(after: number): Promise<LogRow[]> {
		return pages.readLog(this.#rpc, after)
	}

	async appendLog({ seq, entry, signature }: LogRow): Promise<void> {
		const args = { p_seq: seq, p_entry: entry, p_signature: signature }
		await this.#rpc.call('append_log', args, schemas.nothing)
	}

	machineKeys(): Promise<MachineKeyRow[]> {
		return this.#rpc.call('list_machine_keys', {}, schemas.machineKeys)
	}

	async createSession(session: Parameters<Gateway['createSession']>[0]): Promise<void> {
		await this.#rpc.call('create_session', { p_session: session }, schemas.nothing)
	}

	async updateSession(id: string, change: Parameters<Gateway['updateSession']>[1]): Promise<void> {
		await this.#rpc.call('update_session', { p_session: id, p_change: change }, schemas.nothing)
	}

	listSessions(query: Parameters<Gateway['listSessions']>[0]): Promise<SessionRow[]> {
		return pages.listSessions(this.#rpc, query)
	}

	async readSession(id: string): Promise<SessionRow | null> {
		const row = await this.#rpc.call('read_session', { p_session: id }, schemas.maybeSessionRow)
		if (row && row.id !== id) throw malformedAnswer('read_session')
		return row
	}

	async putEpoch(epoch: EpochRow, grants: GrantRow[]): Promise<void> {
		await this.#rpc.call('put_epoch', { p_epoch: epoch, p_grants: grants }, schemas.nothing)
	}

	putGrants(grants: GrantRow[]): Promise<void> {
		return pages.putGrants(this.#rpc, grants)
	}

	async readKeys(
		scopes: readonly string[],
		device: string,
	): Promise<{ epochs: EpochRow[]; grants: GrantRow[] }> {
		const [keys] = await Promise.all([
			pages.readKeys(this.#rpc, scopes, device),
			this.#touch(device),
		])
		return keys
	}

	listKeyGaps(
		query: Parameters<Gateway['listKeyGaps']>[0],
	): Promise<{ scopes: string[]; left: number }> {
		const { to, by, after, again = false } = query
		const args = { p_to: to, p_by: by, p_after: after, p_again: again }
		return this.#rpc.call('list_key_gaps', args, schemas.keyGaps)
	}

	listAccess(
		query: Parameters<Gateway['listAccess']>[0],
	): Promise<{ scopes: AccessRow[]; more: boolean }> {
		const { after = null, to = null, scopes = null } = query
		const args = { p_after: after, p_device: to, p_scopes: scopes }
		return this.#rpc.call('list_access', args, schemas.access)
	}

	countAccess(): Promise<{ device: string; sessions: number }[]> {
		return this.#rpc.call('count_access', {}, schemas.accessCounts)
	}

	async postPairing(pairing: PairingRow): Promise<void> {
		await this.#rpc.call('post_pairing', { p_pairing: pairing }, schemas.nothing)
	}

	readPairing(id: string): Promise<PostedPairing | null> {
		return this.#rpc.call('read_pairing', { p_id: id }, schemas.maybePairing)
	}

	async answerPairing(answer: PairingRow): Promise<void> {
		await this.#rpc.call('answer_pairing', { p_answer: answer }, schemas.nothing)
	}

	async deletePairing(id: string): Promise<void> {
		await this.#rpc.call('delete_pairing', { p_id: id }, schemas.nothing)
	}

	appendMessages(session: string, rows: readonly AppendRow[]): Promise<number> {
		return pages.appendMessages(this.#rpc, session, rows)
	}

	readMessages(
		session: string,
		range: Parameters<Gateway['readMessages']>[1],
	): Promise<MessageRow[]> {
		return 'after' in range
			? pages.readMessagesAfter(this.#rpc, session, range)
			: pages.readMessagesBefore(this.#rpc, session, range)
	}

	readSpending(
		query: Parameters<Gateway['readSpending']>[0],
	): Promise<{ rows: MessageRow[]; more: boolean }> {
		return pages.readSpending(this.#rpc, query)
	}

	listRequests(query: Parameters<Gateway['listRequests']>[0]): Promise<RequestRow[]> {
		const { status, limit, session = null } = query
		const args = { p_status: status, p_limit: limit, p_session: session }
		return this.#rpc.call('list_requests', args, schemas.requestRows)
	}

	async readRequest(id: string): Promise<RequestRow | null> {
		const row = await this.#rpc.call('read_request', { p_request: id }, schemas.maybeRequestRow)
		if (row && row.id !== id) throw malformedAnswer('read_request')
		return row
	}

	async postMail(mail: Omit<MailRow, 'created_at'>): Promise<void> {
		await this.#rpc.call('post_mail', { p_mail: mail }, schemas.nothing)
	}

	async readMail(device: string): Promise<MailRow[]> {
		const [mail] = await Promise.all([pages.readMail(this.#rpc, device), this.#touch(device)])
		return mail
	}

	deleteMail(ids: readonly string[]): Promise<void> {
		return pages.deleteMail(this.#rpc, ids)
	}

	/** Tells the backend that this device is here, for "last seen". */
	async #touch(device: string): Promise<void> {
		const now = performance.now()
		if (now - (this.#touched.get(device) ?? Number.NEGATIVE_INFINITY) < touchInterval) return
		this.#touched.set(device, now)
		try {
			await this.#rpc.call('touch_device', { p_device: device }, schemas.nothing)
		} catch (error) {
			this.#touched.delete(device)
			throw error
		}
	}

	followSession(id: string, listener: (hint: SessionHint) => void): Channel {
		const own: TopicListener = {
			event: (event, payload) => {
				const hint = sessionHint(id, event, payload)
				if (hint) listener(hint)
			},
			joined: () => listener({ type: 'joined' }),
			lost: (why) => listener({ type: 'lost', why }),
		}
		const { topic, stop } = this.#live.listen(`session:${id}`, own)
		return {
			send: ({ type, ...payload }) => topic.send(type, payload, own),
			[Symbol.asyncDispose]: stop,
		}
	}

	followAccount(listener: (hint: AccountHint) => void): Channel {
		const { stop } = this.#live.listen(`account:${this.account}`, {
			event: (event, payload) => {
				const hint = accountHint(event, payload)
				if (hint) listener(hint)
			},
			joined: () => listener({ type: 'joined' }),
			lost: (why) => listener({ type: 'lost', why }),
		})
		return { send: () => {}, [Symbol.asyncDispose]: stop }
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#closing.abort()
		await this.#live[Symbol.asyncDispose]()
	}
}
