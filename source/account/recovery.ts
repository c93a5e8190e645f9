/** The recovery key in the account (docs/protocol.md, section 7). */

import { randomBytes } from '../protocol/box.ts'
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import {
	createDevice,
	type Device,
	type DeviceRecord,
	decodeDevice,
	encodeDevice,
} from '../protocol/device.ts'
import {
	activeDevices,
	type DeviceState,
	entryHash,
	entrySchema,
	type LogState,
	signJoin,
} from '../protocol/device-log.ts'
import { exit, refused, StyrbyError } from '../protocol/errors.ts'
import { decodeJson } from '../protocol/json.ts'
import { recoveryDevice } from '../protocol/recovery.ts'
import { Account, type AccountOptions } from './account.ts'
import { addDevice } from './adding.ts'
import { deviceEntry } from './device-entry.ts'
import { DeviceLog } from './device-log.ts'
import { revokeDevice } from './revoking.ts'
import { type Shared, type SharingOptions, shareHistory } from './sharing.ts'

/** What a recovery key is called in the list of devices. */
const recoveryName = 'recovery key'

/** The active recovery keys of the account, oldest first. */
export function recoveryKeys(account: Account): DeviceState[] {
	return activeDevices(account.log.state).filter(({ record }) => record.kind === 'recovery')
}

export interface RegisterOptions extends SharingOptions {
	/** Revokes the recovery keys that there were, once the new one can do all they could. */
	replace?: boolean
}

/**
 * Registers the device behind the words and hands it all keys. Then it signs an entry itself, its own name
 * again: that entry covers all before it, so that whoever comes back with the words alone can tell this
 * log from one that a server made up. Cut off, it is finished by repeating it with the same words. Throws
 * `bad_recovery_words` (exit 2), `recovery_key_exists` unless `replace`, and what `addDevice` throws.
 */
export async function registerRecovery(
	account: Account,
	words: readonly string[],
	options: RegisterOptions = {},
): Promise<Shared> {
	const device = recoveryDevice(words)
	const before = recoveryKeys(account).filter(({ record }) => record.id !== device.record.id)
	if (before.length > 0 && !options.replace) {
		throw new StyrbyError(
			'recovery_key_exists',
			'This account has a recovery key already: replace it if its words are lost or were seen.',
		)
	}
	await addDevice(account, {
		record: device.record,
		name: recoveryName,
		join: signJoin(account.id, device),
	})
	const shared = await shareHistory(account, device.record, options)
	await anchor(account, device)
	for (const { record } of before) {
		await revokeDevice(account, record.id, { reason: 'replaced', waitMs: 0 })
	}
	return shared
}

async function anchor(account: Account, device: Device): Promise<void> {
	const { id } = device.record
	await account.rotateKey()
	const label = account.sealLabel(`device:${id}`, { name: recoveryName })
	const at = account.now().toISOString()
	await account.log.append(device, { type: 'rename', at, device: id, label })
}

/** Whether the words are a recovery key of this account that still works. Throws `bad_recovery_words`. */
export function checkRecovery(account: Account, words: readonly string[]): DeviceState | null {
	const { record } = recoveryDevice(words)
	const known = account.log.state.devices.get(record.id)
	return known && isSame(known.record, record) ? known : null
}

const isSame = (a: DeviceRecord, b: DeviceRecord) => a.sign === b.sign && a.box === b.box

/**
 * Registers this home with the recovery words alone, and gives it all that they can read. Throws
 * `bad_recovery_words` (exit 2), `wrong_recovery_key` when the account has no such recovery key or has
 * revoked it (exit 3), `recovery_unproved` (exit 4) when the log that the server shows was never signed by
 * it, `device_taken`, and the errors of the log (exit 4): a home that has pinned a log before believes only
 * what continues it.
 */
export async function recoverDevice(
	options: AccountOptions,
	words: readonly string[],
	sharing: SharingOptions = {},
): Promise<{ account: Account; shared: Shared }> {
	const recovery = recoveryDevice(words)
	const { gateway, vault, vaultName } = options
	const log = await DeviceLog.open(gateway, options.logStore, { pin: false })
	const known = log.state.devices.get(recovery.record.id)
	if (known?.revoked !== null || !isSame(known.record, recovery.record)) throw wrongKey()
	await assertProved(options, log.state, recovery)
	const acting = Account.as(options, recovery, log)
	await acting.keys.load(acting.scope)
	await acting.rotateKey()
	const stored = await vault.get(deviceEntry(vaultName))
	const device = await ownDevice(options, log, stored && decodeDevice(stored))
	await addDevice(acting, {
		record: device.record,
		name: options.deviceName,
		join: signJoin(acting.id, device),
	})
	const shared = await shareHistory(acting, device.record, sharing)
	await log.pin()
	return { account: await Account.open(options), shared }
}

/** One that was made in an earlier, cut off, attempt is used again; one that was revoked is not. */
async function ownDevice(
	{ vault, vaultName, random }: AccountOptions,
	log: DeviceLog,
	stored: Device | null,
): Promise<Device> {
	const known = stored && log.state.devices.get(stored.record.id)
	if (stored && !known?.revoked) return stored
	const device = createDevice(random ?? randomBytes)
	await vault.set(deviceEntry(vaultName), encodeDevice(device))
	return device
}

/**
 * Anyone can put a public record into a log of their own; only who has the words can have signed an entry
 * of it. That entry names the one before it, and so all that was there when the words were written down.
 * The entries are read once more, since a verified log keeps their hashes only: one that has the hash of a
 * verified entry is that entry.
 */
async function assertProved(
	{ gateway }: AccountOptions,
	{ hashes }: LogState,
	recovery: Device,
): Promise<void> {
	for (const row of await gateway.readLog(-1)) {
		const bytes = fromBase64(row.entry)
		const hash = toBase64(entryHash(bytes, fromBase64(row.signature)))
		if (hash !== hashes[row.seq]) continue
		if (decodeJson(bytes, entrySchema, 'log_entry').by === recovery.record.id) return
	}
	throw refused(
		'recovery_unproved',
		'The recovery key has never signed the device log that the server shows: it may be a false one, and nothing of it is used.',
	)
}

function wrongKey(): StyrbyError {
	return new StyrbyError(
		'wrong_recovery_key',
		'These words are no recovery key of this account, or one that was replaced: look at the words, and at the account you signed in to.',
		{ exitCode: exit.notSignedIn },
	)
}
