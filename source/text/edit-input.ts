/** What an edit changes, by the input of its call: some agents record no diff of it. */
import { structuredPatch } from 'diff'
import type { Body, FileChange, Hunk } from '../protocol/events.ts'
import { asInput, type Input, pathOf, textOf } from './tool-input.ts'
import { toolKind } from './tool-kinds.ts'

/** UTF-16 units of an edit that are compared line by line; more is shown as removed and added. */
const longest = 200_000
const longestMs = 100

/**
 * The changes that are recorded with the result of a call, else those that its input names. Of the latter
 * nobody knows where in the file they are: their hunks start at line 0. None of a call that failed.
 */
export function changesOf(
	call: Body<'tool_use'> | null,
	result: Body<'tool_result'> | null,
): readonly FileChange[] {
	if (result && result.changes.length > 0) return result.changes
	if (!call || (result && !result.ok) || toolKind(call.name, call.input) !== 'edit') return []
	const path = pathOf(call.input)
	const hunks = path === null ? [] : hunksOf(asInput(call.input))
	return path === null || hunks.length === 0 ? [] : [{ path, hunks }]
}

function hunksOf(input: Input): Hunk[] {
	const edits = Array.isArray(input.edits) ? input.edits.map(asInput) : [input]
	return edits.flatMap((edit) => {
		const before = textOf(edit, 'old_string', 'oldString', 'old_str')
		const after = textOf(edit, 'new_string', 'newString', 'new_str', 'new_source')
		if (after === null) return written(edit)
		return compared(before ?? '', after)
	})
}

/** A file that is written whole: what was in it before is not said. */
function written(input: Input): Hunk[] {
	const content = textOf(input, 'content', 'file_text')
	return content === null ? [] : compared('', content)
}

function compared(before: string, after: string): Hunk[] {
	const patch =
		before.length + after.length > longest
			? undefined
			: structuredPatch('', '', before, after, '', '', { context: 3, timeout: longestMs })
	const lines = patch
		? patch.hunks.flatMap((hunk) => hunk.lines.filter((line) => !line.startsWith('\\')))
		: [...linesOf(before).map((line) => `-${line}`), ...linesOf(after).map((line) => `+${line}`)]
	if (lines.length === 0) return []
	const count = (sign: string) => lines.filter((line) => !line.startsWith(sign)).length
	return [{ old_start: 0, old_lines: count('+'), new_start: 0, new_lines: count('-'), lines }]
}

function linesOf(text: string): string[] {
	return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}
