/** Unified diffs, in which OpenCode shows what an edit does, as changes with line numbers. */
import { parsePatch } from 'diff'
import * as v from 'valibot'
import type { FileChange } from '../../protocol/events.ts'
import { hunkOf } from '../file-changes.ts'

/** A longer one is not parsed: the text of the call shows what it does. */
const maxPatch = 4 * 1024 * 1024

const oneSchema = v.object({ diff: v.string(), filepath: v.optional(v.string()) })
const filesSchema = v.object({
	files: v.pipe(
		v.array(
			v.object({
				filePath: v.string(),
				patch: v.optional(v.string()),
				diff: v.optional(v.string()),
			}),
		),
		v.minLength(1),
	),
})
const fileDiffSchema = v.object({ filediff: v.object({ file: v.string(), patch: v.string() }) })

/** The changes in the metadata of a permission request or of a finished tool; empty when it has none. */
export function changesIn(metadata: unknown): FileChange[] {
	const files = v.safeParse(filesSchema, metadata)
	if (files.success) {
		return files.output.files.flatMap(({ filePath, patch, diff }) =>
			changesOf(patch ?? diff ?? '', filePath),
		)
	}
	const file = v.safeParse(fileDiffSchema, metadata)
	if (file.success) return changesOf(file.output.filediff.patch, file.output.filediff.file)
	const one = v.safeParse(oneSchema, metadata)
	return one.success ? changesOf(one.output.diff, one.output.filepath) : []
}

/** `path` names the file where the patch is of one; a patch of several names them itself. */
function changesOf(patch: string, path?: string): FileChange[] {
	if (patch.length > maxPatch) return []
	let parsed: ReturnType<typeof parsePatch>
	try {
		parsed = parsePatch(patch)
	} catch {
		// Not a diff after all; the call itself is shown.
		return []
	}
	return parsed.flatMap((file) => {
		if (file.hunks.length === 0) return []
		const named = file.newFileName === '/dev/null' ? file.oldFileName : file.newFileName
		const name = parsed.length === 1 ? (path ?? named) : (named ?? path)
		return [{ path: name ?? '', hunks: file.hunks.map(hunkOf) }]
	})
}
