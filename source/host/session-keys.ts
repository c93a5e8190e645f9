/** The epochs of a hosted session: who was granted what, and what the log's changes ask for. */
import type { Account } from '../account/account.ts'
import type { EpochRow, GrantRow } from '../backend/gateway.ts'
import { activeDevices, headOf, type LogState, lastRevocation } from '../protocol/device-log.ts'
import { refused } from '../protocol/errors.ts'
import type { LogHead } from '../protocol/json.ts'
import type { ChainState } from '../protocol/message.ts'
import { sessionScope } from '../protocol/scope.ts'
import { ownRevocation } from './own-revocation.ts'

export interface OpenedEpoch {
	epoch: EpochRow
	grants: GrantRow[]
	number: number
	/** 32 bytes. */
	key: Uint8Array
	/** The newest entry of the log that its maker knew. */
	madeAt: number
}

export class SessionKeys {
	readonly #account: Account
	readonly #session: string
	readonly #keys = new Map<number, Uint8Array>()
	#granted = new Set<string>()
	/** The newest entry of the log that was known when the newest key was made. */
	#madeAt = -1
	#seen: LogState | null = null
	#head: LogHead | null = null

	constructor(account: Account, session: string) {
		this.#account = account
		this.#session = session
	}

	/**
	 * The keys of a session that another process of this device has hosted. `epoch`: the newest that it is
	 * known to have. Throws `key_missing` when this device does not have all of them, or is not the session's
	 * host, `epoch_withheld` when the server shows less: a revoked device may have what it shows.
	 */
	static async restore(account: Account, session: string, epoch = 0): Promise<SessionKeys> {
		const keys = new SessionKeys(account, session)
		const known = await account.keys.load(sessionScope(session), { again: true })
		const { id } = account.device.record
		for (let number = 0; number <= known.newest; number++) {
			const key = known.keyOf(number)
			if (!(key instanceof Uint8Array)) throw key
			keys.#keys.set(number, key)
		}
		const record = known.records.get(known.newest)
		if (known.by !== id || !record) {
			throw refused('key_missing', 'This device is not the host of that session.')
		}
		if (known.newest < epoch) {
			throw refused('epoch_withheld', 'The server does not show the newest key of this session.')
		}
		keys.#head = record.log
		// Its maker granted it to every device that was active at the head it names.
		const at = record.log.seq
		keys.#madeAt = at
		for (const device of account.log.state.devices.values()) {
			const active = device.addedSeq <= at && (!device.revoked || device.revoked.seq > at)
			if (active) keys.#granted.add(device.record.id)
		}
		return keys
	}

	/** The newest epoch and its key (32 bytes). Throws `key_missing` before the first. */
	newest(): { epoch: number; key: Uint8Array } {
		const last = [...this.#keys].at(-1)
		if (!last) throw refused('key_missing', 'This session has no key yet.')
		return { epoch: last[0], key: last[1] }
	}

	/** Makes the next epoch, for every active device of the verified log. Throws `device_revoked`. */
	next(chain: ChainState, at: string): OpenedEpoch {
		const revoked = ownRevocation(this.#account)
		if (revoked) throw revoked
		const number = this.#keys.size
		const place = { epoch: number, from: chain.seq + 1, prev: chain.chain, at }
		const made = this.#account.keys.newEpoch(sessionScope(this.#session), place)
		return { ...made, number, madeAt: headOf(this.#account.log.state).seq }
	}

	/** The epoch is on the disk: from now on it is the one. */
	accept(opened: OpenedEpoch): void {
		this.#keys.set(opened.number, opened.key)
		this.#granted = new Set(opened.grants.map((grant) => grant.to))
		this.#madeAt = opened.madeAt
		this.#follows(this.#account.log.state)
		this.#account.keys.remember(sessionScope(this.#session), opened.epoch, opened.grants)
	}

	/** What the verified log has that this session has not followed yet. */
	changes(): { revoked: boolean; added: GrantRow[] } {
		const { state } = this.#account.log
		if (state === this.#seen) return { revoked: false, added: [] }
		const added = activeDevices(state).filter(({ record }) => !this.#granted.has(record.id))
		const at = this.#account.now().toISOString()
		const scope = sessionScope(this.#session)
		return {
			revoked: this.outdated,
			added: added.flatMap(({ record }) =>
				[...this.#keys].map(([epoch, key]) =>
					this.#account.keys.grant({ scope, epoch, key }, record, at),
				),
			),
		}
	}

	/**
	 * Whether a device that may have the newest key was revoked: nothing may be sealed with it any more. Who
	 * let a device in has given it that key, too: it may have come and gone before this host heard of it.
	 */
	get outdated(): boolean {
		const { state } = this.#account.log
		return state !== this.#seen && lastRevocation(state) > this.#madeAt
	}

	/** The head of the log that these keys follow: nothing is sealed for who was revoked up to it. */
	get head(): LogHead {
		return this.#head ?? headOf(this.#account.log.state)
	}

	/** The grants of `changes` are on the disk. */
	followed(grants: readonly GrantRow[], log: LogState): void {
		for (const grant of grants) this.#granted.add(grant.to)
		this.#follows(log)
	}

	#follows(log: LogState): void {
		this.#seen = log
		this.#head = headOf(log)
	}
}
