import * as v from 'valibot'
import { StyrbyError } from '../protocol/errors.ts'

const systemError = v.object({ code: v.string() })
const sqliteError = v.object({ errcode: v.number() })

/** SQLite's primary result codes that mean something to the person. */
const sqliteFull = 13
const sqliteReadonly = 8
const sqliteCantOpen = 14
const sqlitePermission = 3

/**
 * What a failure of the outbox's disk means: `outbox_full`, `home_not_writable`, else `outbox_failed`.
 */
export function outboxError(cause: unknown): StyrbyError {
	if (cause instanceof StyrbyError) return cause
	const system = v.safeParse(systemError, cause)
	const sqlite = v.safeParse(sqliteError, cause)
	const code = system.success ? system.output.code : ''
	const result = sqlite.success ? sqlite.output.errcode & 0xff : 0
	if (result === sqliteFull || code === 'ENOSPC' || code === 'EDQUOT') {
		return new StyrbyError(
			'outbox_full',
			'The disk is full, so nothing more can be kept: free some space, and the session goes on being published.',
			{ cause },
		)
	}
	const refusedBySystem = ['EACCES', 'EPERM', 'EROFS'].includes(code)
	if (refusedBySystem || [sqliteReadonly, sqliteCantOpen, sqlitePermission].includes(result)) {
		return new StyrbyError(
			'home_not_writable',
			'The data folder can not be written: make it writable, or set STYRBY_HOME to a folder that is.',
			{ cause },
		)
	}
	return new StyrbyError(
		'outbox_failed',
		'The outbox of this session can not be used: see whether its disk is sound, then start the session again.',
		{ cause },
	)
}
