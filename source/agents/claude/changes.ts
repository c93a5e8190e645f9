/**
 * What a file tool would change, as a diff with line numbers, before it runs: a person who approves an
 * edit sees where in the file it lands.
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { structuredPatch } from 'diff'
import * as v from 'valibot'
import type { FileChange, Hunk } from '../../protocol/events.ts'
import { newFile } from './tool-result.ts'

const maxFileBytes = 1024 * 1024
const maxDiffMs = 250

const editSchema = v.object({
	old_string: v.string(),
	new_string: v.string(),
	replace_all: v.optional(v.fallback(v.boolean(), false), false),
})
const oneEditSchema = v.object({ file_path: v.string(), ...editSchema.entries })
const manyEditsSchema = v.object({ file_path: v.string(), edits: v.array(editSchema) })
const writeSchema = v.object({ file_path: v.string(), content: v.string() })
const notebookSchema = v.object({ notebook_path: v.string(), new_source: v.string() })

type Edit = v.InferOutput<typeof editSchema>

/** `undefined`: not readable, or not to be read. `null`: there is no such file. */
export type ReadText = (path: string) => Promise<string | null | undefined>

/**
 * The changes that a call of a file tool would make; empty for other tools. Where the file can't be read,
 * or the text to replace is not in it, hunks have no line numbers (0).
 */
export async function proposedChanges(
	tool: string,
	input: unknown,
	cwd: string,
	readText: ReadText = readSmallFile,
): Promise<FileChange[]> {
	const call = fileCall(tool, input)
	if (call === null) return []
	const before = await readText(resolve(cwd, call.path))
	return [{ path: call.path, hunks: hunksOf(call, before) }]
}

interface FileCall {
	path: string
	edits: Edit[] | null
	content: string
}

function fileCall(tool: string, input: unknown): FileCall | null {
	if (tool === 'Edit') {
		const call = v.safeParse(oneEditSchema, input)
		return call.success ? { path: call.output.file_path, edits: [call.output], content: '' } : null
	}
	if (tool === 'MultiEdit') {
		const call = v.safeParse(manyEditsSchema, input)
		return call.success
			? { path: call.output.file_path, edits: call.output.edits, content: '' }
			: null
	}
	if (tool === 'Write') {
		const call = v.safeParse(writeSchema, input)
		return call.success
			? { path: call.output.file_path, edits: null, content: call.output.content }
			: null
	}
	if (tool === 'NotebookEdit') {
		const call = v.safeParse(notebookSchema, input)
		if (!call.success) return null
		const edit = { old_string: '', new_string: call.output.new_source, replace_all: false }
		return { path: call.output.notebook_path, edits: [edit], content: '' }
	}
	return null
}

function hunksOf(call: FileCall, before: string | null | undefined): Hunk[] {
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

function applied(before: string, edits: readonly Edit[]): string | null {
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
function diff(before: string, after: string): Hunk[] | null {
	const patch = structuredPatch('', '', before, after, '', '', { context: 3, timeout: maxDiffMs })
	if (patch === undefined) return null
	return patch.hunks.map((hunk) => ({
		old_start: hunk.oldStart,
		old_lines: hunk.oldLines,
		new_start: hunk.newStart,
		new_lines: hunk.newLines,
		lines: hunk.lines.filter((line) => !line.startsWith('\\')),
	}))
}

/** A hunk of which we do not know where it goes. */
function unplaced(before: string, after: string): Hunk {
	const removed = before === '' ? [] : lines(before)
	const added = after === '' ? [] : lines(after)
	return {
		old_start: 0,
		old_lines: removed.length,
		new_start: 0,
		new_lines: added.length,
		lines: [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)],
	}
}

function lines(text: string): string[] {
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
