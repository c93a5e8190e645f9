import { join } from 'node:path'
import * as v from 'valibot'
import { readState, writeState } from '../config/state.ts'

const schema = v.object({
	v: v.literal(1),
	port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
	pid: v.number(),
	/** Id of the start of the daemon that wrote this. */
	start: v.string(),
	version: v.string(),
})

/** Where the daemon was last seen. It stays when the daemon ends, so that the next has the same port. */
export type Runtime = v.InferOutput<typeof schema>

/** Null when there is none, or none that can be read: a daemon writes it anew. */
export async function readRuntime(run: string): Promise<Runtime | null> {
	try {
		return await readState(fileOf(run), schema)
	} catch {
		return null
	}
}

/** Mode 0600. Throws `home_not_writable`, `disk_full`. */
export async function writeRuntime(run: string, runtime: Omit<Runtime, 'v'>): Promise<void> {
	await writeState(fileOf(run), schema, { v: 1, ...runtime })
}

function fileOf(run: string): string {
	return join(run, 'backend.json')
}
