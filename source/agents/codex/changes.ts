/** Codex's file changes as hunks: a diff for an update, the whole content for a new or a removed file. */
import { parsePatch } from 'diff'
import type { FileChange, Hunk } from '../../protocol/events.ts'
import type { RawChange } from './schema.ts'

export function fileChanges(changes: readonly RawChange[]): FileChange[] {
	return changes.map(({ path, kind, diff }) => ({
		path: kind.move_path === null ? path : `${path} → ${kind.move_path}`,
		hunks: kind.type === 'update' ? updateHunks(diff) : [whole(diff, kind.type)].filter(hasLines),
	}))
}

/** A diff that can't be read is shown as it is, as lines without a place: never as nothing. */
function updateHunks(diff: string): Hunk[] {
	try {
		// Codex adds the new name behind the hunks of a file that is moved.
		const [patch] = parsePatch(diff.replace(/\n+Moved to: [^\n]*\n?$/, '\n'))
		if (patch !== undefined && patch.hunks.length > 0) {
			return patch.hunks.map((hunk) => ({
				old_start: hunk.oldStart,
				old_lines: hunk.oldLines,
				new_start: hunk.newStart,
				new_lines: hunk.newLines,
				lines: hunk.lines.filter((line) => !line.startsWith('\\')),
			}))
		}
	} catch {
		// Shown below.
	}
	const lines = diff === '' ? [] : splitLines(diff).map((line) => ` ${line}`)
	const hunk = {
		old_start: 0,
		old_lines: lines.length,
		new_start: 0,
		new_lines: lines.length,
		lines,
	}
	return [hunk].filter(hasLines)
}

function whole(content: string, type: 'add' | 'delete'): Hunk {
	const lines = content === '' ? [] : splitLines(content)
	const added = type === 'add'
	return {
		old_start: added ? 0 : 1,
		old_lines: added ? 0 : lines.length,
		new_start: added ? 1 : 0,
		new_lines: added ? lines.length : 0,
		lines: lines.map((line) => `${added ? '+' : '-'}${line}`),
	}
}

function hasLines({ lines }: Hunk): boolean {
	return lines.length > 0
}

function splitLines(text: string): string[] {
	return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}
