/** Errors as people and scripts see them. */
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import type { Io } from './io.ts'

const systemErrors: Readonly<Record<string, readonly [code: string, message: string]>> = {
	ENOSPC: [
		'disk_full',
		'The disk is full: make room and try again; nothing that was confirmed is lost.',
	],
	EROFS: [
		'home_not_writable',
		'The folder is on a read-only file system: choose another with STYRBY_HOME.',
	],
	EACCES: [
		'home_not_writable',
		'A file or folder can not be written: check its owner, or choose another with STYRBY_HOME.',
	],
	EMFILE: [
		'too_many_files',
		'Too many files are open: raise the limit with "ulimit -n" and try again.',
	],
}

/** Any error as one of ours. What we do not know is a fault of this program, named without its insides. */
export function asStyrbyError(error: unknown): StyrbyError {
	if (error instanceof StyrbyError) return error
	const system =
		error instanceof Error && 'code' in error && typeof error.code === 'string'
			? systemErrors[error.code]
			: undefined
	if (system) return new StyrbyError(system[0], system[1], { cause: error })
	const name = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'
	return new StyrbyError('internal', `This is a fault of styrby-tui (${name.slice(0, 300)}).`, {
		cause: error,
	})
}

/** One sentence on stderr, or the JSON form with --json. Returns the exit code. */
export function reportError(error: unknown, io: Pick<Io, 'stderr'>, json: boolean): ExitCode {
	const { code, message, exitCode } = asStyrbyError(error)
	const text = json ? jsonText({ error: { code, message } }) : `styrby-tui: ${revealText(message)}`
	io.stderr.write(`${text}\n`)
	return exitCode === exit.done ? exit.failed : exitCode
}
