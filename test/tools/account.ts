/** Accounts over the backend in memory, with real keys. */
import { Account } from '../../source/account/account.ts'
import { addDevice as register } from '../../source/account/adding.ts'
import type { LogStore } from '../../source/account/device-log.ts'
import type { Gateway } from '../../source/backend/gateway.ts'
import { nonceSize, randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, encodeDevice, randomId } from '../../source/protocol/device.ts'
import type { LogState } from '../../source/protocol/device-log.ts'
import { signJoin } from '../../source/protocol/device-log.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import type { LogHead } from '../../source/protocol/json.ts'
import {
	type ChainState,
	type Content,
	chainStart,
	sealMessage,
} from '../../source/protocol/message.ts'
import { split } from '../../source/protocol/parts.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import type { Vault } from '../../source/vault/vault.ts'

export function vaultInMemory(): Vault {
	const secrets = new Map<string, Uint8Array>()
	return {
		kind: 'memory',
		detail: 'test',
		get: async (name) => secrets.get(name) ?? null,
		set: async (name, secret) => {
			secrets.set(name, secret)
		},
		delete: async (name) => {
			secrets.delete(name)
		},
	}
}

export function storeInMemory(): LogStore {
	let kept: LogState | null = null
	return {
		load: async () => kept,
		save: async (state) => {
			kept = state
		},
	}
}

export function openAccount(
	gateway: Gateway,
	options: { vault?: Vault; logStore?: LogStore; name?: string } = {},
): Promise<Account> {
	return Account.open({
		gateway,
		vault: options.vault ?? vaultInMemory(),
		vaultName: 'test',
		logStore: options.logStore ?? storeInMemory(),
		deviceName: options.name ?? 'build-box',
		exclusively: (work) => work(),
		now: () => new Date(),
	})
}

/** A second device of the account, registered by the first. */
export async function addDevice(first: Account, gateway: Gateway, name: string): Promise<Account> {
	const device = createDevice()
	const vault = vaultInMemory()
	await vault.set('test:device', encodeDevice(device))
	await register(first, { record: device.record, name, join: signJoin(first.id, device) })
	return openAccount(gateway, { vault })
}

/** A session of this account, written straight to the backend. */
export class TestSession {
	readonly id = randomId()
	readonly account: Account
	chain: ChainState
	#key: Uint8Array = new Uint8Array()

	constructor(account: Account) {
		this.account = account
		this.chain = chainStart(this.id)
	}

	async create(): Promise<this> {
		const scope = sessionScope(this.id)
		const at = new Date().toISOString()
		const made = this.account.keys.newEpoch(scope, {
			epoch: 0,
			from: 1,
			prev: this.chain.chain,
			at,
		})
		this.#key = made.key
		await this.account.gateway.createSession({
			id: this.id,
			agent: 'claude',
			host: this.account.device.record.id,
			project: 'api-server',
			label: this.account.sealLabel(`session:${this.id}`, {
				title: 'a title',
				project: 'api-server',
			}),
			started_at: at,
			epoch: made.epoch,
			grants: made.grants,
		})
		return this
	}

	async append(event: SessionEvent, more: object = {}): Promise<number> {
		return this.#append(split(event, new Date().toISOString()), more)
	}

	/** Parts of a body as no honest host would make them. */
	appendParts(parts: readonly { part: number; of: number; body: string }[]): Promise<number> {
		const at = new Date().toISOString()
		return this.#append(parts.map((part) => ({ at, kind: 'agent_response', ...part })))
	}

	async #append(contents: readonly Content[], more: object = {}): Promise<number> {
		const rows = contents.map((content) => {
			const sealed = sealMessage(this.id, this.chain, content, {
				epoch: 0,
				key: this.#key,
				signSecret: this.account.device.signSecret,
				nonce: randomBytes(nonceSize),
			})
			this.chain = sealed.chain
			const { message } = sealed
			return {
				session_id: this.id,
				seq: message.seq,
				epoch: 0,
				nonce: toBase64(message.nonce),
				ciphertext: toBase64(message.ciphertext),
				signature: toBase64(message.signature),
				created_at: content.at,
				input_tokens: 0,
				output_tokens: 0,
				cache_read_tokens: 0,
				cache_write_tokens: 0,
				cost_usd: 0,
				...more,
			}
		})
		return this.account.gateway.appendMessages(this.id, rows)
	}

	/** `log`: the head that the message names. */
	say(text: string, log?: LogHead): Promise<number> {
		const body = { text, block: null, model: null, parent: null }
		const contents = split({ kind: 'agent_response', body }, new Date().toISOString())
		return this.#append(contents.map((one, index) => (index === 0 && log ? { ...one, log } : one)))
	}
}
