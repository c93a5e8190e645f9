import * as v from 'valibot'
import type { Engine } from './engine.ts'

/** How the database keeps what it was given, for `doctor`: PostgreSQL's own words. */
export const storageState = v.object({
	fsync: v.string(),
	method: v.string(),
	commit: v.string(),
	/** Files synced since the start; `null` where the engine can't tell. */
	syncs: v.nullable(v.number()),
})

export type StorageState = v.InferOutput<typeof storageState>

export async function readStorageState(engine: Engine): Promise<StorageState> {
	const [row] = await engine.query(
		`select current_setting('fsync') as fsync, current_setting('wal_sync_method') as method,
			current_setting('synchronous_commit') as commit`,
	)
	const syncs = (await engine.syncs?.()) ?? null
	return v.parse(storageState, { ...row, syncs })
}
