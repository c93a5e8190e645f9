/** Small JSON files in the data folder: pins, choices, positions. */
import * as v from 'valibot'
import { StyrbyError } from '../protocol/errors.ts'
import { readOwnFile, replaceFile } from './atomic-file.ts'

const maxBytes = 64 * 2 ** 20

/**
 * What the file holds, checked, or `null` when there is no such file. Throws `state_corrupt` when it is
 * damaged: never taken for absent, since a pin that vanishes unseen protects nothing.
 */
export async function readState<T extends v.GenericSchema>(
	file: string,
	schema: T,
): Promise<v.InferOutput<T> | null> {
	const bytes = await readOwnFile(file, maxBytes)
	if (!bytes) return null
	let value: unknown
	try {
		value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
	} catch (cause) {
		throw corrupt(file, cause)
	}
	const result = v.safeParse(schema, value)
	if (!result.success) throw corrupt(file, new Error(issuePaths(result.issues)))
	return result.output
}

/** Replaces the file, all or nothing, after a check. Throws `home_not_writable`, `disk_full`. */
export async function writeState<T extends v.GenericSchema>(
	file: string,
	schema: T,
	value: v.InferInput<T>,
): Promise<void> {
	v.parse(schema, value)
	await replaceFile(file, `${JSON.stringify(value)}\n`)
}

function corrupt(file: string, cause: unknown): StyrbyError {
	return new StyrbyError(
		'state_corrupt',
		`${file} is damaged: restore it from a backup, or move it away if you know why it changed.`,
		{ cause },
	)
}

/** Where a value went wrong, without the value. */
function issuePaths(issues: readonly v.BaseIssue<unknown>[]): string {
	return issues.map((issue) => v.getDotPath(issue) ?? '(whole)').join(', ')
}
