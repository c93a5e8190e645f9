/** What an edit of a file changes, as hunks with line numbers. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { type StructuredPatchHunk, structuredPatch } from 'diff'
import type { Hunk } from '../protocol/events.ts'

const maxFileBytes = 1024 * 1024
const maxDiffMs = 250

export interface TextEdit {
	old_string: string
	new_string: string
	replace_all: boolean
}

/** An edit of one file: pieces that are replaced in order, or (`edits` is `null`) its whole content. */
export interface FileEdit {
	path: string
	edits: TextEdit[] | null
	content: string
}

/** `undefined`: not readable, or not to be read. `null`: there is no such file. */
export type ReadText = (path: string) => Promise<string | null | undefined>

/**
 * Hunks of an edit to a file that holds `before`. Where it can't be read, or the text to replace is not in
 * it, they have no line numbers (0).
 */
export function hunksOf(call: FileEdit, before: string | null | undefined): Hunk[] {
	if (call.edits === null) {
		if (before === null) return newFile(call.content)
		if (before === undefined) return [unplaced('', call.content)]
		return diff(before, call.content) ?? [unplaced(before, call.content)]
	}
	const created = before === null && call.edits.length === 1 && call.edits[0]?.old_string === ''
	if (created) return newFile(call.edits[0]?.new_string ?? '')
	const after = typeof before === 'string' ? applied(before, call.edits) : null
	const placed = after === null ? null : diff(before ?? '', after)
	return placed ?? call.edits.map((edit) => unplaced(edit.old_string, edit.new_string))
}

export function applied(before: string, edits: readonly TextEdit[]): string | null {
	let text = before
	for (const { old_string, new_string, replace_all } of edits) {
		const at = text.indexOf(old_string)
		if (old_string === '' || at < 0) return null
		text = replace_all
			? text.split(old_string).join(new_string)
			: text.slice(0, at) + new_string + text.slice(at + old_string.length)
	}
	return text
}

/** `null` when the two are so different that a diff takes too long. */
export function diff(before: string, after: string): Hunk[] | null {
	const patch = structuredPatch('', '', before, after, '', '', { context: 3, timeout: maxDiffMs })
	if (patch === undefined) return null
	return patch.hunks.map(hunkOf)
}

/** A hunk of a diff, without its remarks on the ends of files. */
export function hunkOf(hunk: StructuredPatchHunk): Hunk {
	return {
		old_start: hunk.oldStart,
		old_lines: hunk.oldLines,
		new_start: hunk.newStart,
		new_lines: hunk.newLines,
		lines: hunk.lines.filter((line) => !line.startsWith('\\')),
	}
}

/** A hunk of which we do not know where it goes. */
function unplaced(before: string, after: string): Hunk {
	const removed = linesOf(before)
	const added = linesOf(after)
	return {
		old_start: 0,
		old_lines: removed.length,
		new_start: 0,
		new_lines: added.length,
		lines: [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)],
	}
}

/** None of an empty text; the end of the last line begins no other. */
export function linesOf(text: string): string[] {
	if (text === '') return []
	return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

/** Reads a regular file of at most 1 MiB. Never waits: a pipe or a device that the agent names is refused. */
export async function readSmallFile(path: string): Promise<string | null | undefined> {
	try {
		await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
		const stat = await file.stat()
		if (!stat.isFile() || stat.size > maxFileBytes) return undefined
		return await file.readFile('utf8')
	} catch (error) {
		return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? null : undefined
	}
}

/** A file that was not there before. */
export function newFile(content: string): Hunk[] {
	const lines = linesOf(content).map((line) => `+${line}`)
	if (lines.length === 0) return []
	return [{ old_start: 0, old_lines: 0, new_start: 1, new_lines: lines.length, lines }]
}

/** A file that is not there afterwards. */
export function removedFile(content: string): Hunk[] {
	const lines = linesOf(content).map((line) => `-${line}`)
	if (lines.length === 0) return []
	return [{ old_start: 1, old_lines: lines.length, new_start: 0, new_lines: 0, lines }]
}
