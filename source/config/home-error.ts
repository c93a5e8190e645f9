import * as v from 'valibot'
import { StyrbyError } from '../protocol/errors.ts'

const systemError = v.object({ code: v.string() })
const sqliteError = v.object({ errcode: v.number() })

/** Primary result codes of SQLite: perm, readonly, can't open. */
const sqliteRefused = [3, 8, 14]
const sqliteFull = 13

/** The system's name of an error (`ENOENT`, …), or '' where it has none. */
export function systemCode(cause: unknown): string {
	const parsed = v.safeParse(systemError, cause)
	return parsed.success ? parsed.output.code : ''
}

/** SQLite's primary result code, or 0. */
export function sqliteCode(cause: unknown): number {
	const parsed = v.safeParse(sqliteError, cause)
	return parsed.success ? parsed.output.errcode & 0xff : 0
}

/**
 * What a failure to use `path`, a file or folder of ours, means to the person: `home_not_writable`,
 * `disk_full`, else `home_failed`. Errors that say it already are handed back as they are.
 */
export function homeError(cause: unknown, path: string): StyrbyError {
	if (cause instanceof StyrbyError) return cause
	const code = systemCode(cause)
	const result = sqliteCode(cause)
	if (['EACCES', 'EPERM', 'EROFS'].includes(code) || sqliteRefused.includes(result)) {
		return new StyrbyError(
			'home_not_writable',
			`${path} can not be written: make it writable, or set STYRBY_HOME to a folder that is.`,
			{ cause },
		)
	}
	if (['ENOSPC', 'EDQUOT'].includes(code) || result === sqliteFull) {
		return new StyrbyError(
			'disk_full',
			`The disk of ${path} is full: free some space, then try again.`,
			{ cause },
		)
	}
	return new StyrbyError(
		'home_failed',
		`${path} can not be used (${code || 'unknown error'}): see whether it and its disk are sound, or set STYRBY_HOME to another folder.`,
		{ cause },
	)
}
