import type { DatabaseFault, Row, Statement } from './engine.ts'

/** What the daemon's main thread and the engine's worker thread say to each other. */
export type ToWorker =
	| { type: 'tx'; id: number; statements: readonly Statement[]; rollback: boolean }
	| { type: 'listen'; channel: string }
	| { type: 'close' }
	| { type: 'syncs' }

export type FromWorker =
	| { type: 'open'; created: boolean }
	| { type: 'failed'; fault: DatabaseFault }
	| { type: 'rows'; id: number; rows: Row[][] }
	| { type: 'fault'; id: number; fault: DatabaseFault; broken: boolean }
	| { type: 'notified'; channel: string; payload: string }
	| { type: 'warning'; message: string }
	| { type: 'syncs'; count: number }
	| { type: 'closed' }

export interface WorkerInput {
	/** Folder of the database cluster. */
	readonly folder: string
	/** A gzipped tar of a prepared cluster, used when the folder is to be created. */
	readonly template: string | null
}
