/** The whole device log from its first entry: who did what when, and whether it holds. */
import type { LogRow } from '../backend/gateway.ts'
import { fromBase64 } from '../protocol/bytes.ts'
import { fingerprint } from '../protocol/device.ts'
import {
	emptyLog,
	entrySchema,
	headOf,
	type LogEntry,
	type LogState,
	replayLong,
} from '../protocol/device-log.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import { decodeJson, type LogHead } from '../protocol/json.ts'
import type { Account } from './account.ts'
import { type Fault, readKeys } from './devices.ts'

export interface LogEvent {
	seq: number
	at: string
	type: LogEntry['type']
	by: string
	byName: string | null
	/** Whom it is about. */
	device: string
	/** What it is called now. */
	deviceName: string | null
	fingerprint: string
	/** Signed by the recovery key to prove the log for who has its words alone: it names nothing anew. */
	proof: boolean
	/** The name that this entry gives; `null` where it gives none or can't be opened. */
	name: string | null
	reason: string | null
	/** base64 of 32 bytes. */
	hash: string
}

/** The log as the server shows it, replayed from its first entry. Throws the errors of `replay` (exit 4). */
export async function readWhole(account: Account): Promise<{ rows: LogRow[]; state: LogState }> {
	const rows = await account.gateway.readLog(-1)
	const entries = rows.map(({ seq, entry, signature }) => ({
		seq,
		entry: fromBase64(entry),
		signature: fromBase64(signature, 64),
	}))
	const state = await replayLong(emptyLog(account.id), entries)
	return { rows, state }
}

/** Throws the errors of `replay` and `log_rolled_back` (exit 4). */
export async function readLogHistory(account: Account): Promise<LogEvent[]> {
	const { rows, state } = await readWhole(account)
	assertContinues(state, account.log.state)
	return rows.map((row) => eventOf(account, row, state))
}

function eventOf(account: Account, row: LogRow, state: LogState): LogEvent {
	const entry = decodeJson(fromBase64(row.entry), entrySchema, 'log_entry')
	const device = typeof entry.device === 'string' ? entry.device : entry.device.id
	const record = state.devices.get(device)?.record
	return {
		seq: row.seq,
		at: entry.at,
		type: entry.type,
		by: entry.by,
		byName: account.deviceName(entry.by),
		device,
		deviceName: account.deviceName(device),
		fingerprint: record ? fingerprint(record) : '',
		proof: entry.type === 'rename' && entry.by === device && record?.kind === 'recovery',
		name: 'label' in entry ? nameIn(account, device, entry.label) : null,
		reason: entry.type === 'revoke' ? entry.reason : null,
		hash: state.hashes[row.seq] ?? '',
	}
}

function nameIn(account: Account, device: string, label: Parameters<Account['openLabel']>[1]) {
	try {
		return account.openLabel(`device:${device}`, label).name
	} catch (error) {
		if (error instanceof StyrbyError) return null
		throw error
	}
}

/** What was verified before may only be continued. */
function assertContinues(state: LogState, known: LogState): void {
	const differs = known.hashes.some((hash, seq) => state.hashes[seq] !== hash)
	if (differs) {
		throw refused(
			'log_rolled_back',
			'The server shows a device log that is older than, or different from, the one seen before: it may be hiding or inventing devices.',
		)
	}
}

export interface LogCheck {
	entries: number
	head: LogHead
	/** Where `machine_keys` is not what the log makes of it. */
	faults: Fault[]
}

/**
 * Replays the log from its first entry, compares it with what was verified before, and the server's
 * `machine_keys` with it. Throws the errors of `replay` and `log_rolled_back` (exit 4).
 */
export async function verifyLog(account: Account): Promise<LogCheck> {
	const { state } = await readWhole(account)
	assertContinues(state, account.log.state)
	await account.log.refresh()
	const { faults } = await readKeys(account)
	return { entries: state.hashes.length, head: headOf(state), faults }
}
