/** Registers a device that wants to join (docs/protocol.md, sections 2 and 4). */

import type { GrantRow } from '../backend/gateway.ts'
import { toBase64 } from '../protocol/bytes.ts'
import type { DeviceRecord } from '../protocol/device.ts'
import type { DeviceState, LogState } from '../protocol/device-log.ts'
import { refused, type StyrbyError } from '../protocol/errors.ts'
import type { Account } from './account.ts'
import { assertNotRevoked } from './device-log.ts'

export interface Joining {
	record: DeviceRecord
	/** Sealed, so that the server never learns it. */
	name: string
	/** The new device's own signature over the account and its record, 64 bytes. */
	join: Uint8Array
}

/** How the log has the device: with exactly these keys, and active. `null`: not at all. Throws `device_taken`. */
export function registration(log: LogState, record: DeviceRecord): DeviceState | null {
	const there = log.devices.get(record.id)
	if (!there) return null
	const { box, sign, kind } = there.record
	const same = box === record.box && sign === record.sign && kind === record.kind
	if (same && !there.revoked) return there
	throw refused(
		'device_taken',
		'This device was in the device log before, with other keys or until it was revoked: it has to make new ones.',
	)
}

/**
 * To be asked after the keys were loaded, and with no wait before they are granted: a key whose maker knew
 * of a revocation is only taken once this log has it, so that no such key goes to the device. Throws
 * `device_taken`, `no_such_device`.
 */
export function assertGrantable(log: LogState, to: DeviceRecord): void {
	if (!registration(log, to)) throw noSuchDevice()
}

export function noSuchDevice(): StyrbyError {
	return refused('no_such_device', 'The device log has no such active device.')
}

/**
 * Appends `add`, unless the log has this very device already, and grants it the account's keys. Returns
 * how the log has it: where two devices do this at once, the one whose entry stands added it. Cut off, it
 * is finished by repeating it. Throws the `problem` of the log, `device_taken`.
 */
export async function addDevice(account: Account, joining: Joining): Promise<DeviceState> {
	const { record, name, join } = joining
	const at = account.now().toISOString()
	await account.log.refresh()
	assertNotRevoked(account.log.state, account.device.record.id)
	account.log.assertTrusted()
	await account.rotateKey()
	const label = account.sealLabel(`device:${record.id}`, { name })
	const { state } = await account.log.append(account.device, (log) =>
		registration(log, record)
			? null
			: { type: 'add', at, device: record, label, join: toBase64(join) },
	)
	await grantAccountKeys(account, record)
	const added = registration(state, record)
	if (!added) throw noSuchDevice()
	return added
}

/**
 * All epochs of the account key, for one device. Whoever makes an epoch looks at the log after storing it,
 * and whoever adds a device at the epochs after adding it: so no new device lacks one. Throws as
 * `assertGrantable` does.
 */
export async function grantAccountKeys(account: Account, to: DeviceRecord): Promise<void> {
	const at = account.now().toISOString()
	const { scope } = account
	const keys = await account.keys.load(scope, { again: true })
	assertGrantable(account.log.state, to)
	const grants: GrantRow[] = []
	for (const epoch of keys.records.keys()) {
		const key = keys.keyOf(epoch)
		if (key instanceof Uint8Array) {
			grants.push(account.keys.grant({ scope, epoch, key }, to, at))
		}
	}
	await account.gateway.putGrants(grants)
}
