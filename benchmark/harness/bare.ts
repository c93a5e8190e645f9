/**
 * The floor of everything live: one row appended with bare supabase-js, until its broadcast is back in
 * this process. The same engine, the same database functions, no sealing and none of our client.
 */
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { Account } from '../../source/account/account.ts'
import { logStoreInMemory } from '../../source/account/log-store.ts'
import { connectGateway } from '../../source/backend/connect-gateway.ts'
import { signUpAnonymously } from '../../source/backend/sign-in.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { randomId } from '../../source/protocol/device.ts'
import { chainStart } from '../../source/protocol/message.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { memoryVault } from '../../source/vault/memory.ts'

/** Bytes of ciphertext in a row: what a line of an agent comes to. */
const rowBytes = 528

export class BareChannel implements AsyncDisposable {
	readonly #client: SupabaseClient
	readonly #listener: SupabaseClient
	readonly #session: string
	#seq = 0
	#arrived: ((at: number) => void) | null = null

	private constructor(client: SupabaseClient, listener: SupabaseClient, session: string) {
		this.#client = client
		this.#listener = listener
		this.#session = session
	}

	/** An account of its own on the backend, with one session. */
	static async open(endpoint: { url: string; anonKey: string }): Promise<BareChannel> {
		const tokens = await signUpAnonymously(endpoint)
		const accessToken = async () => tokens.access_token
		const session = await makeSession(endpoint, tokens.user_id, accessToken)
		const [client, listener] = [1, 2].map(() =>
			createClient(endpoint.url, endpoint.anonKey, {
				accessToken,
				realtime: { logger: () => {} },
			}),
		)
		if (!client || !listener) throw new Error('no client')
		const bare = new BareChannel(client, listener, session)
		await bare.#join()
		return bare
	}

	/** Appends one row; resolves with the ms until its broadcast was here. */
	async once(): Promise<number> {
		const arrived = new Promise<number>((resolve) => {
			this.#arrived = resolve
		})
		const row = this.#row()
		const before = performance.now()
		await this.#append([row])
		return (await arrived) - before
	}

	/** Appends rows as fast as they are taken, `batch` at a time. Resolves with the ms it took. */
	async fill(rows: number, batch: number, bytes: number): Promise<number> {
		const calls = Array.from({ length: Math.ceil(rows / batch) }, (_, call) =>
			Array.from({ length: Math.min(batch, rows - call * batch) }, () => this.#row(bytes)),
		)
		const before = performance.now()
		for (const call of calls) await this.#append(call)
		return performance.now() - before
	}

	#row(bytes: number = rowBytes) {
		return {
			session_id: this.#session,
			seq: ++this.#seq,
			epoch: 0,
			nonce: toBase64(randomBytes(24)),
			ciphertext: toBase64(randomBytes(bytes)),
			signature: toBase64(randomBytes(64)),
			created_at: new Date().toISOString(),
			input_tokens: 0,
			output_tokens: 0,
			cache_read_tokens: 0,
			cache_write_tokens: 0,
			cost_usd: 0,
		}
	}

	async #append(rows: readonly object[]): Promise<void> {
		const args = { p_session: this.#session, p_rows: rows }
		const { error } = await this.#client.rpc('append_messages', args)
		if (error) throw new Error(`the bare append failed: ${error.message}`)
	}

	async #join(): Promise<void> {
		await this.#listener.realtime.setAuth()
		const channel = this.#listener.channel(`session:${this.#session}`, {
			config: { private: true },
		})
		channel.on('broadcast', { event: '*' }, () => {
			this.#arrived?.(performance.now())
			this.#arrived = null
		})
		await new Promise<void>((resolve, reject) => {
			channel.subscribe((status, error) => {
				if (status === 'SUBSCRIBED') resolve()
				else reject(new Error(`the bare channel is ${status}: ${error?.message}`))
			})
		})
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#listener.removeAllChannels()
	}
}

async function makeSession(
	endpoint: { url: string; anonKey: string },
	account: string,
	accessToken: () => Promise<string>,
): Promise<string> {
	await using gateway = connectGateway({ ...endpoint, account, accessToken })
	const own = await Account.open({
		gateway,
		vault: memoryVault(),
		vaultName: 'bare',
		logStore: logStoreInMemory(),
		deviceName: 'bare',
		exclusively: (work) => work(),
		now: () => new Date(),
	})
	const session = randomId()
	const at = new Date().toISOString()
	const prev = chainStart(session).chain
	const made = own.keys.newEpoch(sessionScope(session), { epoch: 0, from: 1, prev, at })
	await gateway.createSession({
		id: session,
		agent: 'claude',
		host: own.device.record.id,
		project: null,
		label: null,
		started_at: at,
		epoch: made.epoch,
		grants: made.grants,
	})
	return session
}
