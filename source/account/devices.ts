/** Which devices the account has, as the verified log says, and what the server says beside it. */

import type { MachineKeyRow } from '../backend/gateway.ts'
import { type DeviceRecord, fingerprint } from '../protocol/device.ts'
import { activeDevices, headOf, type LogState } from '../protocol/device-log.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import type { LogHead } from '../protocol/json.ts'
import type { Account } from './account.ts'
import { noSuchDevice } from './adding.ts'
import { assertNotRevoked } from './device-log.ts'

export interface DeviceInfo {
	id: string
	/** Its name as sealed into the log; `null` where this device can't open it. */
	name: string | null
	kind: DeviceRecord['kind']
	fingerprint: string
	state: 'active' | 'revoked'
	/** This very device. */
	own: boolean
	addedBy: string
	addedByName: string | null
	addedAt: string
	revoked: { by: string; byName: string | null; at: string; reason: string | null } | null
	/** The server's word, as `sessions`. */
	lastSeenAt: string | null
	/** Of how many sessions it was given a key. */
	sessions: number
}

/** Something in the server's `machine_keys` that the verified log does not bear out. */
export interface Fault {
	device: string
	/** The box key that the server shows; `null` where it shows none. */
	publicKey: string | null
	what: 'unknown' | 'other_key' | 'missing' | 'not_revoked' | 'revoked' | 'other_times'
}

export interface DeviceList {
	devices: DeviceInfo[]
	log: { entries: number; head: LogHead; problem: StyrbyError | null }
	/** Keys that only the server knows of. Nothing is ever encrypted to them. */
	intruders: Fault[]
	/** Other ways in which `machine_keys` differs from the log. */
	faults: Fault[]
	/** Losing this one device would lose all history. */
	single: boolean
}

/** All devices, oldest first, those that were revoked too. */
export async function listDevices(account: Account): Promise<DeviceList> {
	const { gateway, log } = account
	const [{ keys, faults }, counts] = await Promise.all([readKeys(account), gateway.countAccess()])
	const { state } = log
	const seen = new Map(keys.map((row) => [row.device, row.last_seen_at]))
	const sessions = new Map(counts.map((row) => [row.device, row.sessions]))
	const devices = [...state.devices.values()].map(({ record, addedBy, addedAt, revoked }) => ({
		id: record.id,
		name: account.deviceName(record.id),
		kind: record.kind,
		fingerprint: fingerprint(record),
		state: revoked ? ('revoked' as const) : ('active' as const),
		own: record.id === account.device.record.id,
		addedBy,
		addedByName: account.deviceName(addedBy),
		addedAt,
		revoked: revoked && {
			by: revoked.by,
			byName: account.deviceName(revoked.by),
			at: revoked.at,
			reason: revoked.reason,
		},
		lastSeenAt: seen.get(record.id) ?? null,
		sessions: sessions.get(record.id) ?? 0,
	}))
	const intrudes = ({ what }: Fault) => what === 'unknown' || what === 'other_key'
	return {
		devices,
		log: { entries: state.hashes.length, head: headOf(state), problem: log.problem },
		intruders: faults.filter(intrudes),
		faults: faults.filter((fault) => !intrudes(fault)),
		single: activeDevices(state).length < 2,
	}
}

/** Looks at a log that grows each time; a server could go on like that for ever. */
const maxLooks = 5

/**
 * The server's keys, and where they differ from the log. What differs only because the log has grown since
 * is no lie: it is held against a log that had nothing new after the keys were asked for.
 */
export async function readKeys({
	gateway,
	log,
}: Pick<Account, 'gateway' | 'log'>): Promise<{ keys: MachineKeyRow[]; faults: Fault[] }> {
	for (let look = 1; ; look++) {
		const keys = await gateway.machineKeys()
		const { state } = log
		const faults = compareKeys(state, keys)
		if (faults.length === 0 || look === maxLooks) return { keys, faults }
		try {
			await log.refresh()
		} catch (error) {
			// Then that is the `problem` of the log, which stands beside what was found here.
			if (!(error instanceof StyrbyError) || error.exitCode !== exit.refused) throw error
			return { keys, faults }
		}
		if (log.state.hashes.length === state.hashes.length) return { keys, faults }
	}
}

/** Where the server's projection differs from the log that it is a projection of. */
export function compareKeys(state: LogState, keys: readonly MachineKeyRow[]): Fault[] {
	const faults: Fault[] = []
	const shown = new Set<string>()
	for (const { device, box, sign, kind, added_at, revoked_at } of keys) {
		const known = state.devices.get(device)
		const { record, revoked, addedAt } = known ?? { record: null, revoked: null, addedAt: null }
		const twice = shown.has(device)
		shown.add(device)
		const same = record?.box === box && record.sign === sign && record.kind === kind
		const what = !known
			? 'unknown'
			: !same || twice
				? 'other_key'
				: revoked && revoked_at === null
					? 'not_revoked'
					: !revoked && revoked_at !== null
						? 'revoked'
						: isSameTime(added_at, addedAt) && isSameTime(revoked_at, revoked?.at ?? null)
							? null
							: 'other_times'
		if (what) faults.push({ device, publicKey: box, what })
	}
	for (const device of state.devices.keys()) {
		if (!shown.has(device)) faults.push({ device, publicKey: null, what: 'missing' })
	}
	return faults
}

/** To the millisecond: that is what devices write. */
function isSameTime(shown: string | null, logged: string | null): boolean {
	if (shown === null || logged === null) return shown === logged
	return Date.parse(shown) === Date.parse(logged)
}

const maxName = 100

/** Gives a device another name. Throws `no_such_device`, `bad_device_name`. */
export async function renameDevice(account: Account, id: string, name: string): Promise<void> {
	const trimmed = name.trim()
	if (trimmed === '' || trimmed.length > maxName) {
		throw new StyrbyError(
			'bad_device_name',
			`A device's name has 1 to ${maxName} characters: choose another.`,
			{ exitCode: exit.usage },
		)
	}
	assertNotRevoked(account.log.state, account.device.record.id)
	account.log.assertTrusted()
	if (account.deviceName(id) === trimmed) return
	await account.rotateKey()
	const label = account.sealLabel(`device:${id}`, { name: trimmed })
	const at = account.now().toISOString()
	await account.log.append(account.device, (log) => {
		if (!log.devices.has(id)) throw noSuchDevice()
		return { type: 'rename', at, device: id, label }
	})
}
