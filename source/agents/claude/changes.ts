/**
 * What a file tool would change, as a diff with line numbers, before it runs: a person who approves an
 * edit sees where in the file it lands.
 */
import { resolve } from 'node:path'
import * as v from 'valibot'
import type { FileChange } from '../../protocol/events.ts'
import { type FileEdit, hunksOf, type ReadText, readSmallFile } from '../file-changes.ts'
import { flag } from '../lenient.ts'

const editSchema = v.object({
	old_string: v.string(),
	new_string: v.string(),
	replace_all: flag,
})
const oneEditSchema = v.object({ file_path: v.string(), ...editSchema.entries })
const manyEditsSchema = v.object({ file_path: v.string(), edits: v.array(editSchema) })
const writeSchema = v.object({ file_path: v.string(), content: v.string() })
const notebookSchema = v.object({ notebook_path: v.string(), new_source: v.string() })

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

function fileCall(tool: string, input: unknown): FileEdit | null {
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
