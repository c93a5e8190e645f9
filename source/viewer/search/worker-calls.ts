/** Calls of the thread of the search index, and their replies. */
import type { ExitCode } from '../../protocol/errors.ts'
import type { Query } from '../../search/query.ts'
import type { SearchedSession } from '../../search/session-filter.ts'
import type { Answer, Batch } from './engine-types.ts'

export type Call = { id: number } & (
	| { name: 'open' | 'flush' | 'rebuild' | 'close' }
	| { name: 'describe'; sessions: readonly SearchedSession[] }
	| { name: 'add'; batch: Batch }
	| { name: 'ask'; query: Query; limit: number }
)

export type Reply = { id: number } & (
	| { value: unknown }
	| { partial: Answer }
	| { error: { code: string; message: string; exitCode: ExitCode } }
)
