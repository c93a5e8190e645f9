/** Codex's file changes as hunks: a diff for an update, the whole content for a new or a removed file. */
import { parsePatch } from 'diff'
import type { FileChange, Hunk } from '../../protocol/events.ts'
import { hunkOf, linesOf, newFile, removedFile } from '../file-changes.ts'
import type { RawChange } from './schema.ts'

export function fileChanges(changes: readonly RawChange[]): FileChange[] {
	return changes.map(({ path, kind, diff }) => ({
		path: kind.move_path === null ? path : `${path} → ${kind.move_path}`,
		hunks: hunksOf[kind.type](diff),
	}))
}

const hunksOf = { add: newFile, delete: removedFile, update: updateHunks }

/** A diff that can't be read is shown as it is, as lines without a place: never as nothing. */
function updateHunks(diff: string): Hunk[] {
	try {
		// Codex adds the new name behind the hunks of a file that is moved.
		const [patch] = parsePatch(diff.replace(/\n+Moved to: [^\n]*\n?$/, '\n'))
		if (patch !== undefined && patch.hunks.length > 0) return patch.hunks.map(hunkOf)
	} catch {
		// Shown below.
	}
	const lines = linesOf(diff).map((line) => ` ${line}`)
	if (lines.length === 0) return []
	const count = lines.length
	return [{ old_start: 0, old_lines: count, new_start: 0, new_lines: count, lines }]
}
