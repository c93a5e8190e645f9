import type { ScopeKeys } from '../account/key-ring.ts'
import { activeDevices, type LogState } from '../protocol/device-log.ts'
import type { SessionState } from './viewer.ts'

/**
 * Who can read what is said in a session now: every active device, for each is given all keys, and those
 * that were revoked after the newest key was made, also if they came after it. `allSigned`: the session's host is known, so every
 * reader is one that the log has. By the verified log alone, whatever the server says.
 */
export function readersOf(
	log: LogState,
	keys: Pick<ScopeKeys, 'by' | 'newest' | 'records'>,
): NonNullable<SessionState['readers']> {
	const made = keys.records.get(keys.newest)?.log.seq ?? Number.POSITIVE_INFINITY
	const still = [...log.devices.values()].filter(
		({ revoked }) => revoked !== null && revoked.seq > made,
	)
	return {
		count: activeDevices(log).length + still.length,
		revoked: still.length,
		allSigned: keys.by !== null,
	}
}
