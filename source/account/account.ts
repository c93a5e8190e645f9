/**
 * This device in its account: its keys, the verified device log, the keys it was granted. Made on first
 * use (docs/protocol.md, sections 1, 2 and 4).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway } from '../backend/gateway.ts'
import { keySize, nonceSize, type RandomBytes, randomBytes } from '../protocol/box.ts'
import { createDevice, type Device, decodeDevice, encodeDevice } from '../protocol/device.ts'
import { activeDevices, type LogState, lastRevocation } from '../protocol/device-log.ts'
import { exit, refused, StyrbyError } from '../protocol/errors.ts'
import { type Label, noLabel, openLabel, type Sealed, sealLabel } from '../protocol/label.ts'
import { accountScope, type Scope } from '../protocol/scope.ts'
import type { Vault } from '../vault/vault.ts'
import { deviceEntry } from './device-entry.ts'
import { assertNotRevoked, DeviceLog, type LogStore } from './device-log.ts'
import { HostHeads } from './heads.ts'
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
/** How often others may be faster before it is given up. */
const rotations = 8
/** How often, and how far apart (ms), a key that lacks is looked for. */
const looks = 3
const lookEvery = 300

/** With the very keys that this device has: a log that names others for it is none of this account. */
function isRegistered(log: LogState, { record }: Device): boolean {
	const known = log.devices.get(record.id)?.record
	return known?.sign === record.sign && known.box === record.box
}

function noDeviceKey(): StyrbyError {
	return new StyrbyError(
		'no_device_key',
		'This account has devices, but this home holds the key of none: run "styrby-tui devices add" here and follow it on a device that is registered, or "styrby-tui devices recover" with the recovery words.',
		{ exitCode: exit.notSignedIn },
	)
}

/** A second first key would make every name unreadable, and nobody would be told why. */
function accountKeyWithheld(): StyrbyError {
	return refused(
		'account_key_withheld',
		'The server does not show this device the key of the account, or shows one that does not verify: nothing is sealed until it does. If another device lacks nothing, run "styrby-tui devices share" there, for this one.',
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
	/** What live hosts have said that they know of the device log. */
	readonly heads: HostHeads

	private constructor(
		options: Pick<AccountOptions, 'gateway' | 'now' | 'random' | 'seen'>,
		device: Device,
		log: DeviceLog,
	) {
		const random = options.random ?? randomBytes
		this.id = options.gateway.account
		this.gateway = options.gateway
		this.device = device
		this.log = log
		this.random = random
		this.now = options.now
		this.seen = options.seen ?? seenInMemory()
		this.heads = new HostHeads(options.now)
		this.keys = new KeyRing({ gateway: options.gateway, device, log, random, seen: this.seen })
	}

	/**
	 * Opens the account on this device; makes the device and the account's log when there is neither.
	 * Throws `no_device_key` (exit 3) when the account has a log but this home no key,
	 * `device_not_registered` or `device_revoked` (exit 3), and the errors of the log (exit 4).
	 */
	static async open(options: AccountOptions): Promise<Account> {
		const [log, stored] = await Promise.all([
			DeviceLog.open(options.gateway, options.logStore, { pin: false }),
			options.vault.get(deviceEntry(options.vaultName)),
		])
		if (stored && isRegistered(log.state, decodeDevice(stored))) {
			// Also where it was revoked: no server is to take that back.
			await log.pin()
			const account = Account.as(options, decodeDevice(stored), log)
			if (await account.#begin()) return account
		}
		return options.exclusively(() => Account.#create(options, log))
	}

	/**
	 * Loads the account key, and renews it where that is due; `false` when the account has none yet. Where the
	 * server ends the sign-in meanwhile, the log says why.
	 */
	async #begin(): Promise<boolean> {
		try {
			if ((await this.keys.load(this.scope)).newest < 0) return false
			await this.rotateKey()
			await this.#assertKeys()
			return true
		} catch (error) {
			if (!(error instanceof StyrbyError) || error.code !== 'device_revoked') throw error
			assertNotRevoked(await this.log.refresh(), this.device.record.id)
			throw error
		}
	}

	/**
	 * The account as a device acts in it that is in the verified log. Throws `device_not_registered`,
	 * `device_revoked` (exit 3).
	 */
	static as(
		options: Pick<AccountOptions, 'gateway' | 'now' | 'random' | 'seen'>,
		device: Device,
		log: DeviceLog,
	): Account {
		if (!isRegistered(log.state, device)) {
			throw new StyrbyError(
				'device_not_registered',
				'This device is not registered with the account: run "styrby-tui devices add" here, and "styrby-tui devices approve" on a device that is.',
				{ exitCode: exit.notSignedIn },
			)
		}
		assertNotRevoked(log.state, device.record.id)
		return new Account(options, device, log)
	}

	/**
	 * First use. Each step can be the last before a crash: the device and the account's first key are in
	 * the vault before anything is published, and what lacks is made up on the next start.
	 */
	static async #create(options: AccountOptions, log: DeviceLog): Promise<Account> {
		const random = options.random ?? randomBytes
		const { vault, vaultName } = options
		await log.refresh()
		const stored = await vault.get(deviceEntry(vaultName))
		if (!stored && log.state.hashes.length > 0) throw noDeviceKey()
		const device = stored ? decodeDevice(stored) : createDevice(random)
		if (!stored) await vault.set(deviceEntry(vaultName), encodeDevice(device))
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
			const genesis = { type: 'genesis', at, device: device.record, label } as const
			const { seq } = await log.append(device, ({ hashes }) => (hashes.length > 0 ? null : genesis))
			if (seq === null) {
				// Another home of this new account was faster: this one has to be added like any other.
				await vault.delete(deviceEntry(vaultName))
				await vault.delete(keyName)
				throw noDeviceKey()
			}
		}
		const account = Account.as(options, device, log)
		await log.pin()
		const known = await account.keys.load(account.scope, { again: true })
		if (known.newest < 0 && begun && !kept) throw accountKeyWithheld()
		if (known.newest < 0) await account.#firstEpoch(firstKey)
		await vault.delete(keyName)
		await account.rotateKey()
		await account.#assertKeys()
		return account
	}

	/**
	 * An active device was given every key of its account, from the first to the newest: without one of them
	 * names would silently be unreadable. A device that was added while one was being made is given it a
	 * moment later.
	 */
	async #assertKeys(): Promise<void> {
		for (let attempt = 1; ; attempt++) {
			const keys = this.keys.known(this.scope)
			let epoch = 0
			while (epoch <= (keys?.newest ?? -1) && keys?.keyOf(epoch) instanceof Uint8Array) epoch++
			if (epoch > (keys?.newest ?? -1)) return
			if (attempt === looks) throw accountKeyWithheld()
			await sleep(lookEvery)
			await this.keys.load(this.scope, { again: true })
		}
	}

	async #firstEpoch(key: Uint8Array): Promise<void> {
		const at = this.now().toISOString()
		const made = this.keys.newEpoch(this.scope, { epoch: 0, from: 0, prev: noChain, at, key })
		await this.gateway.putEpoch(made.epoch, made.grants)
		this.keys.remember(this.scope, made.epoch, made.grants)
	}

	/** A device may have been added while the epoch was on its way: it knew nothing of it. */
	async #grantNewcomers({ epoch, grants, key }: ReturnType<KeyRing['newEpoch']>): Promise<void> {
		const given = new Set(grants.map((grant) => grant.to))
		const at = this.now().toISOString()
		const lacking = activeDevices(await this.log.refresh())
			.filter(({ record }) => !given.has(record.id))
			.map(({ record }) =>
				this.keys.grant({ scope: this.scope, epoch: epoch.epoch, key }, record, at),
			)
		if (lacking.length > 0) await this.gateway.putGrants(lacking)
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

	/** Whether a device that was revoked since has the newest account key: nothing is sealed with it any more. */
	get keyOutdated(): boolean {
		const known = this.keys.known(this.scope)
		const newest = known?.records.get(known.newest)
		return newest !== undefined && newest.log.seq < lastRevocation(this.log.state)
	}

	/**
	 * Seals a name for `device:<id>` or `session:<id>`. Throws `account_key_outdated`: then call `rotateKey`
	 * first.
	 */
	sealLabel(subject: string, label: Partial<Label>): Sealed {
		if (this.keyOutdated) {
			throw refused(
				'account_key_outdated',
				'The account key is known to a device that was revoked.',
			)
		}
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
	 * Makes a new account key where a device was revoked after the newest one was made, by whichever device
	 * comes first. Returns the number of the newest epoch. Throws the `problem` of the log.
	 */
	async rotateKey(): Promise<number> {
		for (let attempt = 1; ; attempt++) {
			const known = await this.keys.load(this.scope)
			if (!this.keyOutdated) return known.newest
			this.log.assertTrusted()
			const at = this.now().toISOString()
			const place = { epoch: known.newest + 1, from: 0, prev: noChain, at }
			const made = this.keys.newEpoch(this.scope, place)
			try {
				await this.gateway.putEpoch(made.epoch, made.grants)
				this.keys.remember(this.scope, made.epoch, made.grants)
				await this.#grantNewcomers(made)
				return place.epoch
			} catch (error) {
				const taken = error instanceof StyrbyError && error.code === 'epoch_conflict'
				if (!taken) throw error
				// Another device was faster, or the server says so and does not show what it made.
				if (attempt === rotations) throw accountKeyWithheld()
				await this.keys.load(this.scope, { again: true })
			}
		}
	}
}
