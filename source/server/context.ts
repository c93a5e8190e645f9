import type { Engine } from './engine.ts'
import type { Access } from './installation.ts'
import type { JoinSecrets } from './join-secrets.ts'
import type { FunctionCatalogue } from './rpc-functions.ts'
import type { Tokens } from './tokens.ts'

/** What every part that answers requests works with. */
export interface ServerContext {
	readonly engine: Engine
	readonly tokens: Tokens
	readonly access: Access
	readonly functions: FunctionCatalogue
	readonly joins: JoinSecrets
	/** Random id of this start of the daemon. */
	readonly start: string
	readonly version: string
	/** Milliseconds since 1970. */
	readonly now: () => number
	/** Codes, ids, durations; never what a request carried. */
	readonly log: (line: string) => void
}
