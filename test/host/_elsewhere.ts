/** What other devices of the account write to the device log while this one does not look. */
import { nonceSize, randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import type { Device } from '../../source/protocol/device.ts'
import {
	type LogAct,
	type LogState,
	makeEntry,
	replay,
	signJoin,
} from '../../source/protocol/device-log.ts'
import { noLabel, sealLabel } from '../../source/protocol/label.ts'
import type { TestHost } from './_host.ts'

const at = () => new Date().toISOString()

export class Elsewhere {
	readonly #host: TestHost
	#state: LogState

	constructor(host: TestHost) {
		this.#host = host
		this.#state = host.account.log.state
	}

	/** The log as the server has it. */
	get state(): LogState {
		return this.#state
	}

	/** Straight into the server's table; the line of this device may be cut. `quiet`: without a hint. */
	append(by: Device, act: LogAct, quiet = false): void {
		const made = makeEntry(this.#state, by, act)
		this.#state = replay(this.#state, [made])
		const { backend, account } = this.#host
		const { seq } = made
		const row = { seq, entry: toBase64(made.entry), signature: toBase64(made.signature) }
		backend.logs.set(account.id, [...(backend.logs.get(account.id) ?? []), row])
		if (!quiet) backend.tellAccount(account.id, { type: 'log', seq })
	}

	revoke(by: Device, device: Device, quiet = false): void {
		this.append(by, { type: 'revoke', at: at(), device: device.record.id, reason: null }, quiet)
	}

	add(by: Device, device: Device, quiet = false): void {
		const key = { epoch: 0, key: randomBytes(32), nonce: randomBytes(nonceSize) }
		const label = sealLabel(`device:${device.record.id}`, { ...noLabel, name: 'new' }, key)
		const join = toBase64(signJoin(this.#host.account.id, device))
		this.append(by, { type: 'add', at: at(), device: device.record, label, join }, quiet)
	}
}
