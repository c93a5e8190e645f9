import { join } from 'node:path'
import * as v from 'valibot'
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
	return {
		async load(): Promise<LogState | null> {
			const state = await readState(file, schema)
			if (!state) return null
			return {
				account: state.account,
				hashes: state.hashes,
				devices: new Map(state.devices.map((device) => [device.record.id, device])),
			}
		},
		async save(state: LogState): Promise<void> {
			await withLock(dataFolder, 'device-log', async () => {
				const kept = await readState(file, schema)
				if (!isLonger(state, kept)) return
				await writeState(file, schema, {
					...state,
					hashes: [...state.hashes],
					devices: [...state.devices.values()],
				})
			})
		},
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
