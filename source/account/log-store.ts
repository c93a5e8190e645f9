import { join } from 'node:path'
import * as v from 'valibot'
import { withLock } from '../config/lock.ts'
import { readState, writeState } from '../config/state.ts'
import { deviceRecordSchema } from '../protocol/device.ts'
import type { LogState } from '../protocol/device-log.ts'
import { base64, isoTime, sequence, uuid } from '../protocol/json.ts'
import { sealedSchema } from '../protocol/label.ts'
import type { LogStore } from './device-log.ts'

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
				if (kept && kept.hashes.length > state.hashes.length) return
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
			if (!kept || kept.hashes.length <= state.hashes.length) kept = state
		},
	}
}
