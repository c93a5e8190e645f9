/** What can be wrong with a history that is imported, said in the same way for every agent. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { StyrbyError } from '../protocol/errors.ts'
import type { ImportedLine } from './agent.ts'
import type { Line } from './lines.ts'

/** Whether a path is a folder. Throws `import_unreadable`. */
export async function isFolder(path: string): Promise<boolean> {
	try {
		return (await stat(path)).isDirectory()
	} catch (cause) {
		throw unreadable(path, cause)
	}
}

/** `import_unreadable`, with the system's own code for why. */
export function unreadable(path: string, cause: unknown): StyrbyError {
	const text = `${basename(path)} can not be read (${codeOf(cause)}); check its name and who may read it.`
	return new StyrbyError('import_unreadable', text, { cause })
}

/** `import_not_recognised`. `what`: what the file is not. */
export function notRecognised(path: string, what: string): StyrbyError {
	const text = `${basename(path)} is not ${what}; name another file or agent.`
	return new StyrbyError('import_not_recognised', text)
}

/** What was read before is imported. */
export function readingStopped(error: unknown): Extract<ImportedLine, { type: 'problem' }> {
	return { type: 'problem', line: 0, problem: `reading stopped (${codeOf(error)})` }
}

/** Why a line is left out, of files whose lines are read up to 64 MiB. `what`: what it is not. */
export function badLine({ text, unfinished }: Line, what: string): string {
	if (text === null) return 'longer than 64 MiB, left out'
	return unfinished ? 'cut off in the middle, left out' : `not ${what}, left out`
}

function codeOf(error: unknown): string {
	return error instanceof Error && 'code' in error ? String(error.code) : 'unknown cause'
}
