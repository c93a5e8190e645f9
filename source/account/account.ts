/**
 * This device in its account: its keys, the verified device log, the keys it was granted. Made on first
 * use (docs/protocol.md, sections 1, 2 and 4).
 */
import { isDeepStrictEqual } from 'node:util'
import type { Gateway } from '../backend/gateway.ts'
import { keySize, nonceSize, type RandomBytes, randomBytes } from '../protocol/box.ts'
import { toBase64 } from '../protocol/bytes.ts'
import { createDevice, type Device, decodeDevice, encodeDevice } from '../protocol/device.ts'
import { isActive, signJoin } from '../protocol/device-log.ts'
import { exit, refused, StyrbyError } from '../protocol/errors.ts'
import { type Label, noLabel, openLabel, type Sealed, sealLabel } from '../protocol/label.ts'
import { accountScope, type Scope } from '../protocol/scope.ts'
import type { Vault } from '../vault/vault.ts'
import { DeviceLog, type LogStore } from './device-log.ts'
import { KeyRing } from './key-ring.ts'
import { type SeenSessions, seenInMemory } from './seen-sessions.ts'

export interface AccountOptions {
	gateway: Gateway
	vault: Vault
	/** Name of the vault entries: one set per backend and account. */
	vaultName: string
	logStore: LogStore
	/** Default: as long as this process lives. */
	seen?: SeenSessions
	/** What this device is called when it is made; sealed, so the server never learns it. */
	deviceName: string
	/** Runs alone among all processes of this home. */
	exclusively<T>(work: () => Promise<T>): Promise<T>
	now(): Date
	random?: RandomBytes
}

const noChain = new Uint8Array(32)

/** A second first key would make every name unreadable, and nobody would be told why. */
function accountKeyWithheld(): StyrbyError {
	return refused(
		'account_key_withheld',
		'The server does not show the key of this account, or shows one that does not verify: nothing is sealed until it does.',
	)
}

export class Account {
	readonly id: string
	readonly device: Device
	readonly log: DeviceLog
	readonly keys: KeyRing
	readonly gateway: Gateway
	readonly random: RandomBytes
	readonly now: () => Date
	readonly seen: SeenSessions

	private constructor(
		options: AccountOptions,
		device: Device,
		log: DeviceLog,
		random: RandomBytes,
	) {
		this.id = options.gateway.account
		this.gateway = options.gateway
		this.device = device
		this.log = log
		this.random = random
		this.now = options.now
		this.seen = options.seen ?? seenInMemory()
		this.keys = new KeyRing({ gateway: options.gateway, device, log, random })
	}

	/**
	 * Opens the account on this device; makes the device and the account's log when there is neither.
	 * Throws `no_device_key` (exit 3) when the account has a log but this home no key,
	 * `device_not_registered` or `device_revoked` (exit 3), and the errors of the log (exit 4).
	 */
	static async open(options: AccountOptions): Promise<Account> {
		const [log, stored] = await Promise.all([
			DeviceLog.open(options.gateway, options.logStore),
			options.vault.get(`${options.vaultName}:device`),
		])
		if (stored && log.state.devices.has(decodeDevice(stored).record.id)) {
			const account = Account.#with(options, decodeDevice(stored), log)
			if ((await account.keys.load(account.scope)).newest >= 0) return account
		}
		return options.exclusively(() => Account.#create(options, log))
	}

	static #with(options: AccountOptions, device: Device, log: DeviceLog): Account {
		const state = log.state.devices.get(device.record.id)
		if (
			!state ||
			state.record.sign !== device.record.sign ||
			state.record.box !== device.record.box
		) {
			throw new StyrbyError(
				'device_not_registered',
				'This device is not registered with the account: add it from a device that is.',
				{ exitCode: exit.notSignedIn },
			)
		}
		if (!isActive(log.state, device.record.id)) {
			throw new StyrbyError('device_revoked', 'This device was revoked and can read nothing new.', {
				exitCode: exit.notSignedIn,
			})
		}
		return new Account(options, device, log, options.random ?? randomBytes)
	}

	/**
	 * First use. Each step can be the last before a crash: the device and the account's first key are in
	 * the vault before anything is published, and what lacks is made up on the next start.
	 */
	static async #create(options: AccountOptions, log: DeviceLog): Promise<Account> {
		const random = options.random ?? randomBytes
		const { vault, vaultName } = options
		await log.refresh()
		const stored = await vault.get(`${vaultName}:device`)
		if (!stored && log.state.hashes.length > 0) {
			throw new StyrbyError(
				'no_device_key',
				'This account has devices, but this home holds the key of none: add this one from a device that is registered.',
				{ exitCode: exit.notSignedIn },
			)
		}
		const device = stored ? decodeDevice(stored) : createDevice(random)
		if (!stored) await vault.set(`${vaultName}:device`, encodeDevice(device))
		const keyName = `${vaultName}:first-key`
		const kept = await vault.get(keyName)
		const firstKey = kept ?? random(keySize)
		const begun = log.state.hashes.length > 0
		if (!begun) {
			await vault.set(keyName, firstKey)
			const { id } = device.record
			const label = sealLabel(
				`device:${id}`,
				{ ...noLabel, name: options.deviceName },
				{ epoch: 0, key: firstKey, nonce: random(nonceSize) },
			)
			const at = options.now().toISOString()
			await log.append(device, { type: 'genesis', at, device: device.record, label })
		}
		const account = Account.#with(options, device, log)
		const known = await account.keys.load(account.scope, { again: true })
		if (known.newest < 0 && begun && !kept) throw accountKeyWithheld()
		if (known.newest < 0) await account.#firstEpoch(firstKey)
		await vault.delete(keyName)
		return account
	}

	async #firstEpoch(key: Uint8Array): Promise<void> {
		const at = this.now().toISOString()
		const made = this.keys.newEpoch(this.scope, { epoch: 0, from: 0, prev: noChain, at, key })
		await this.gateway.putEpoch(made.epoch, made.grants)
		this.keys.remember(this.scope, made.epoch, made.grants)
	}

	get scope(): Scope {
		return accountScope(this.id)
	}

	/** The newest key (32 bytes) of the account scope. Throws `key_missing`. */
	accountKey(): { epoch: number; key: Uint8Array } {
		const keys = this.keys.known(this.scope)
		const epoch = keys?.newest ?? -1
		const key = keys?.keyOf(epoch)
		if (!(key instanceof Uint8Array)) {
			throw key ?? new StyrbyError('key_missing', 'The account key is not known to this device.')
		}
		return { epoch, key }
	}

	/** Seals a name for `device:<id>` or `session:<id>`. */
	sealLabel(subject: string, label: Partial<Label>): Sealed {
		const nonce = this.random(nonceSize)
		return sealLabel(subject, { ...noLabel, ...label }, { ...this.accountKey(), nonce })
	}

	/** What a label says. Throws `key_missing`, `label_altered`, `malformed_label`. */
	openLabel(subject: string, sealed: Sealed): Label {
		const key = this.keys.known(this.scope)?.keyOf(sealed.epoch)
		if (key instanceof Uint8Array) return openLabel(subject, sealed, key)
		throw key ?? new StyrbyError('key_missing', 'The account key is not known to this device.')
	}

	/** A device's name, or `null` where it is unknown or does not open. */
	deviceName(id: string): string | null {
		const state = this.log.state.devices.get(id)
		if (!state) return null
		try {
			return this.openLabel(`device:${id}`, state.label).name
		} catch (error) {
			if (error instanceof StyrbyError) return null
			throw error
		}
	}

	/**
	 * Registers another device: appends `add` and grants it the account key. `join` is the new device's
	 * own signature (64 bytes) over the account and its record. Cut off, it is finished by repeating it.
	 * Throws the `problem` of the log.
	 */
	async addDevice(added: Pick<Device, 'record'>, name: string, join: Uint8Array): Promise<void> {
		const at = this.now().toISOString()
		const label = this.sealLabel(`device:${added.record.id}`, { name })
		const act = { type: 'add', at, device: added.record, label, join: toBase64(join) } as const
		const { devices } = await this.log.refresh()
		const there = devices.get(added.record.id)
		const same = there?.revoked === null && isDeepStrictEqual(there.record, added.record)
		if (!same) await this.log.append(this.device, act)
		const keys = await this.keys.load(this.scope)
		const grants = []
		for (const epoch of keys.records.keys()) {
			const key = keys.keyOf(epoch)
			if (key instanceof Uint8Array) {
				grants.push(this.keys.grant({ scope: this.scope, epoch, key }, added.record, at))
			}
		}
		await this.gateway.putGrants(grants)
	}
}

/** A new device's consent to join an account: 64 bytes. */
export function joinSignature(account: string, device: Device): Uint8Array {
	return signJoin(account, device)
}
