import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { homeError, systemCode } from '../config/home-error.ts'
import { withLock } from '../config/lock.ts'
import { readState, writeState } from '../config/state.ts'
import { deviceRecordSchema } from '../protocol/device.ts'
import type { LogState } from '../protocol/device-log.ts'
import { base64, isoTime, sequence, uuid } from '../protocol/json.ts'
import { sealedSchema } from '../protocol/label.ts'
import { type LogStore, rolledBack } from './device-log.ts'

const schema = v.object({
	account: uuid,
	hashes: v.array(base64(32)),
	devices: v.array(
		v.object({
			record: deviceRecordSchema,
			label: sealedSchema,
			addedBy: uuid,
			addedAt: isoTime,
			addedSeq: sequence,
			revoked: v.nullable(
				v.object({ by: uuid, at: isoTime, seq: sequence, reason: v.nullable(v.string()) }),
			),
		}),
	),
})

/**
 * Whether `state` goes on where `kept` ends. Two processes that pulled at the same time may have been shown
 * two continuations: the one that comes second throws `log_rolled_back`.
 */
function isLonger(state: LogState, kept: Pick<LogState, 'hashes'> | null): boolean {
	if (!kept) return true
	const [shorter, longer] = kept.hashes.length < state.hashes.length ? [kept, state] : [state, kept]
	// A hash covers all before it.
	const last = shorter.hashes.length - 1
	if (shorter.hashes[last] !== longer.hashes[last]) throw rolledBack()
	return longer === state
}

/** Keeps the verified log in a file of the data folder; it is as trusted as the folder is. */
export function logStoreIn(dataFolder: string, account: string): LogStore {
	const file = join(dataFolder, `device-log-${account}.json`)
	/** A long log takes a while to parse, and is asked for at each look at the server's. */
	let read: { version: string; state: LogState } | null = null
	const load = async (): Promise<LogState | null> => {
		// Before it is read: what replaces it meanwhile is seen the next time.
		const version = await versionOf(file)
		if (read && read.version === version) return read.state
		const stored = await readState(file, schema)
		if (!stored || version === null) return null
		const { devices, ...rest } = stored
		const byId = new Map(devices.map((device) => [device.record.id, device]))
		read = { version, state: { ...rest, devices: byId } }
		return read.state
	}
	return {
		load,
		async save(state: LogState): Promise<void> {
			await withLock(dataFolder, 'device-log', async () => {
				const kept = await load()
				if (!isLonger(state, kept)) return
				await writeState(file, schema, {
					...state,
					hashes: [...state.hashes],
					devices: [...state.devices.values()],
				})
				const version = await versionOf(file)
				read = version === null ? null : { version, state }
			})
		},
	}
}

/** Changes whenever the file does; `null` when there is none. */
async function versionOf(file: string): Promise<string | null> {
	try {
		const { dev, ino, size, mtimeNs, ctimeNs } = await lstat(file, { bigint: true })
		return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return null
		throw homeError(error, file)
	}
}

/** For throw-away profiles. */
export function logStoreInMemory(): LogStore {
	let kept: LogState | null = null
	return {
		load: async () => kept,
		save: async (state) => {
			if (isLonger(state, kept)) kept = state
		},
	}
}
