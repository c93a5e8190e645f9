/** The keys that this device was granted, by scope (docs/protocol.md, section 4). */
import type { EpochRow, Gateway, GrantRow } from '../backend/gateway.ts'
import { keySize, nonceSize, type RandomBytes, sharedKey } from '../protocol/box.ts'
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import type { Device, DeviceRecord } from '../protocol/device.ts'
import { headOf, isActive, passesThrough } from '../protocol/device-log.ts'
import {
	checkEpoch,
	checkEpochPlace,
	type EpochRecord,
	epochSchema,
	granterOf,
	makeEpoch,
	openGrant,
	sealGrant,
} from '../protocol/epoch.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import { decodeJson, type LogHead } from '../protocol/json.ts'
import { type Scope, sessionOf } from '../protocol/scope.ts'
import { type DeviceLog, unlessRefused } from './device-log.ts'
import type { SeenSessions } from './seen-sessions.ts'

/** What this device knows of the keys of one scope. */
export interface ScopeKeys {
	scope: Scope
	/** Who signed epoch 0: the host of a session. `null` when the scope has no valid epoch. */
	by: string | null
	/** Public signing key (32 bytes) of `by`. */
	signPublic: Uint8Array | null
	/** The newest epoch, -1 when there is none. */
	newest: number
	/** Epoch records by number, each verified. */
	records: ReadonlyMap<number, EpochRecord>
	/** The key (32 bytes) of an epoch, or why this device has none. */
	keyOf(epoch: number): Uint8Array | StyrbyError
}

function keyMissing(): StyrbyError {
	return new StyrbyError('key_missing', 'sealed with a key that this device was not given', {
		exitCode: 4,
	})
}

/** What an epoch record says, unchecked; `null` when it is none. */
function claimOf(row: EpochRow): EpochRecord | null {
	try {
		return decodeJson(fromBase64(row.record), epochSchema, 'epoch_record')
	} catch (error) {
		if (error instanceof StyrbyError) return null
		throw error
	}
}

function byScope<Row extends { scope: string }>(rows: readonly Row[]): Map<string, Row[]> {
	const grouped = new Map<string, Row[]>()
	for (const row of rows) {
		const group = grouped.get(row.scope)
		if (group) group.push(row)
		else grouped.set(row.scope, [row])
	}
	return grouped
}

export class KeyRing {
	readonly #gateway: Gateway
	readonly #device: Device
	readonly #log: DeviceLog
	readonly #random: RandomBytes
	readonly #seen: SeenSessions
	readonly #scopes = new Map<Scope, ScopeKeys>()
	/** `nacl.box.before` costs half a millisecond: once a device. */
	readonly #shared = new Map<string, Uint8Array>()

	constructor(options: {
		gateway: Gateway
		device: Device
		log: DeviceLog
		random: RandomBytes
		seen: SeenSessions
	}) {
		this.#gateway = options.gateway
		this.#device = options.device
		this.#log = options.log
		this.#random = options.random
		this.#seen = options.seen
	}

	/** The shared key (32 bytes) with another device of the log. Throws `weak_key`. */
	sharedWith(record: DeviceRecord): Uint8Array {
		let shared = this.#shared.get(record.box)
		if (!shared) {
			shared = sharedKey(fromBase64(record.box, 32), this.#device.boxSecret)
			this.#shared.set(record.box, shared)
		}
		return shared
	}

	/** What is known already, without asking the backend. */
	known(scope: Scope): ScopeKeys | undefined {
		return this.#scopes.get(scope)
	}

	/** The keys of one scope, from the backend unless known. */
	async load(scope: Scope, options: { again?: boolean } = {}): Promise<ScopeKeys> {
		const known = this.#scopes.get(scope)
		if (known && !options.again) return known
		const [keys] = await this.loadAll([scope])
		if (!keys) throw refused('backend_malformed', 'The backend gave no answer for a key.')
		return keys
	}

	/**
	 * The keys of several scopes in one call, asked for again. Who was found to be the host of a session
	 * stays it: a server that helps another device can't put that one in its place.
	 */
	async loadAll(scopes: readonly Scope[]): Promise<ScopeKeys[]> {
		if (scopes.length === 0) return []
		const { epochs, grants } = await this.#gateway.readKeys(scopes, this.#device.record.id)
		await this.#catchUp(epochs, grants)
		const hosts = new Map<string, string>()
		const [epochsOf, grantsOf] = [byScope(epochs), byScope(grants)]
		const loaded = scopes.map((scope) => {
			const session = sessionOf(scope)
			const host = session === null ? null : this.#seen.host(session)
			const own = epochsOf.get(scope) ?? []
			const keys = this.#assemble(scope, own, grantsOf.get(scope) ?? [], host)
			this.#scopes.set(scope, keys)
			// One that is revoked may have dated its key back, and is not remembered.
			const found = host === null && keys.by !== null && isActive(this.#log.state, keys.by)
			if (session !== null && keys.by !== null && found) hosts.set(session, keys.by)
			return keys
		})
		this.#seen.sawHosts(hosts)
		await this.#reachHeads(epochs)
		return loaded
	}

	/** Heads that active devices have signed, and the log that the server shows lacks: that is its problem. */
	async #reachHeads(epochs: readonly EpochRow[]): Promise<void> {
		const lacking = new Map<string, LogHead>()
		const { state } = this.#log
		for (const row of epochs) {
			const claim = claimOf(row)
			if (!claim || passesThrough(state, claim.log) || !isActive(state, claim.by)) continue
			try {
				this.#check(row, claim.scope)
			} catch (error) {
				if (!(error instanceof StyrbyError)) throw error
				// All before this check has passed: its maker has signed it.
				if (error.code === 'log_rolled_back') lacking.set(claim.by, claim.log)
			}
		}
		for (const [by, head] of lacking) await unlessRefused(this.#log.reach(head, by))
	}

	/** A key may be made by a device, or after a change of the log, that is news here: the log has grown. */
	async #catchUp(epochs: readonly EpochRow[], grants: readonly GrantRow[]): Promise<void> {
		const { devices, hashes } = this.#log.state
		const unknown = (device: string) => !devices.has(device)
		const ahead = epochs.some((row) => {
			const named = claimOf(row)
			return named !== null && (unknown(named.by) || named.log.seq >= hashes.length)
		})
		if (!ahead && !grants.some((grant) => unknown(grant.by))) return
		await unlessRefused(this.#log.refresh())
	}

	/** `host`: who signed epoch 0, where that is known already. */
	#assemble(
		scope: Scope,
		epochs: readonly EpochRow[],
		grants: readonly GrantRow[],
		host: string | null = null,
	): ScopeKeys {
		const records = new Map<number, EpochRecord>()
		const keys = new Map<number, Uint8Array | StyrbyError>()
		let by = host
		let seen = 0
		for (const row of [...epochs].sort((a, b) => a.epoch - b.epoch)) {
			if (records.has(row.epoch)) continue
			try {
				const record = this.#check(row, scope)
				by ??= record.epoch === 0 ? record.by : null
				if (scope.startsWith('session:') && record.by !== by) {
					throw refused(
						'epoch_foreign',
						'a key of this session was made by another device than its host',
					)
				}
				if (record.log.seq < seen) {
					throw refused(
						'epoch_outdated',
						'a key was made by a device that did not know what the key before it knew',
					)
				}
				checkEpochPlace(record, records.get(row.epoch - 1) ?? null)
				seen = record.log.seq
				records.set(row.epoch, record)
				keys.set(row.epoch, this.#open(record, grants))
			} catch (error) {
				if (!(error instanceof StyrbyError)) throw error
				keys.set(row.epoch, error)
			}
		}
		const signer = by === null ? undefined : this.#log.state.devices.get(by)
		return {
			scope,
			by,
			signPublic: signer ? fromBase64(signer.record.sign, 32) : null,
			newest: Math.max(-1, ...records.keys()),
			records,
			keyOf: (epoch) => keys.get(epoch) ?? keyMissing(),
		}
	}

	#check(row: EpochRow, scope: string): EpochRecord {
		return checkEpoch(
			{ record: fromBase64(row.record), signature: fromBase64(row.signature, 64) },
			this.#log.state,
			{ scope, epoch: row.epoch },
		)
	}

	/** One good grant is enough, whoever else granted the same epoch. */
	#open(record: EpochRecord, grants: readonly GrantRow[]): Uint8Array | StyrbyError {
		let failure = keyMissing()
		for (const row of grants) {
			if (row.epoch !== record.epoch || row.to !== this.#device.record.id) continue
			try {
				const shared = this.sharedWith(granterOf(this.#log.state, row.by))
				const sealed = { nonce: fromBase64(row.nonce, 24), ciphertext: fromBase64(row.ciphertext) }
				return openGrant(sealed, record, shared)
			} catch (error) {
				if (!(error instanceof StyrbyError)) throw error
				failure = error
			}
		}
		return failure
	}

	/**
	 * Makes the next epoch of a scope, with a fresh key and grants for every active device of the verified
	 * log. The caller stores both; `remember` afterwards.
	 */
	newEpoch(
		scope: Scope,
		place: { epoch: number; from: number; prev: Uint8Array; at: string; key?: Uint8Array },
	): { epoch: EpochRow; grants: GrantRow[]; key: Uint8Array } {
		const key = place.key ?? this.#random(keySize)
		const { record, signature } = makeEpoch(this.#device, {
			scope,
			epoch: place.epoch,
			key,
			log: headOf(this.#log.state),
			from: place.from,
			prev: place.prev,
		})
		const epoch = {
			scope,
			epoch: place.epoch,
			record: toBase64(record),
			signature: toBase64(signature),
		}
		const active = [...this.#log.state.devices.values()].filter(({ record }) =>
			isActive(this.#log.state, record.id),
		)
		const grants = active.map(({ record }) =>
			this.grant({ scope, epoch: place.epoch, key }, record, place.at),
		)
		return { epoch, grants, key }
	}

	/** Boxes a key for another device of the verified log (or for this one). */
	grant(
		key: { scope: Scope; epoch: number; key: Uint8Array },
		to: DeviceRecord,
		at: string,
	): GrantRow {
		const sealed = sealGrant(key, this.sharedWith(to), this.#random(nonceSize))
		return {
			scope: key.scope,
			epoch: key.epoch,
			to: to.id,
			by: this.#device.record.id,
			nonce: toBase64(sealed.nonce),
			ciphertext: toBase64(sealed.ciphertext),
			created_at: at,
		}
	}

	/** Takes over an epoch that this device has just made and stored. */
	remember(scope: Scope, epoch: EpochRow, grants: readonly GrantRow[]): ScopeKeys {
		const before = this.#scopes.get(scope)
		const added = this.#assemble(scope, [epoch], grants, before?.by ?? null)
		const records = new Map([...(before?.records ?? []), ...added.records])
		const merged: ScopeKeys = {
			scope,
			by: added.by,
			signPublic: added.signPublic,
			newest: Math.max(before?.newest ?? -1, added.newest),
			records,
			keyOf: (number) =>
				number === epoch.epoch ? added.keyOf(number) : (before?.keyOf(number) ?? keyMissing()),
		}
		this.#scopes.set(scope, merged)
		return merged
	}
}
