import { fsyncSync } from 'node:fs'
import type { Extension } from '@electric-sql/pglite'
import { PGlite } from '@electric-sql/pglite'

/**
 * PGlite as shipped never syncs: it starts PostgreSQL with `-F`, and its Node file system has no sync
 * operation, so even without `-F` a commit only reaches the page cache. These start parameters and
 * the extension below put both right; `open_sync` would make the engine panic at its start.
 *
 * PostgreSQL measures its own stack in WebAssembly, where a level takes less than on V8's: with its
 * usual limit V8's overflows first, and then the engine hangs, or answers a query with no rows.
 */
export const engineStartParams: string[] = [
	...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
	'-c',
	'wal_sync_method=fsync',
	'-c',
	'max_stack_depth=256kB',
]

interface NodeStream {
	readonly nfd: number
}

/** Gives the engine's file system an `fsync`; `synced` is called after each one. */
export function durableFiles(synced: () => void): Extension {
	return {
		name: 'durable files',
		setup: async (_pg, options: { preRun?: unknown }) => {
			const before = Array.isArray(options.preRun) ? options.preRun : []
			const install = (module: { NODEFS: { stream_ops: object } }) => {
				Object.assign(module.NODEFS.stream_ops, {
					fsync(stream: NodeStream): number {
						fsyncSync(stream.nfd)
						synced()
						return 0
					},
				})
			}
			return { emscriptenOpts: { ...options, preRun: [...before, install] } }
		},
	}
}
