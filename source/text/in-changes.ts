/** Which parts of a tool's input a diff shows already. */
import type { FileChange } from '../protocol/events.ts'

/** What tools call the file that they change, and the text. */
const keys: ReadonlySet<string> = new Set([
	...['file_path', 'filePath', 'notebook_path', 'path', 'paths'],
	...['old_string', 'new_string', 'oldString', 'newString'],
	...['content', 'new_source', 'edits'],
])

/**
 * Whether all of a part of an input is to be read in the changes: the path of one, or text that stands on
 * one side of a hunk. Of what a tool was given otherwise, nothing may be left out.
 */
export function isInChanges(key: string, value: unknown, changes: readonly FileChange[]): boolean {
	return changes.length > 0 && keys.has(key) && isShown(value, changes)
}

function isShown(value: unknown, changes: readonly FileChange[]): boolean {
	if (typeof value === 'string') {
		return changes.some(({ path, hunks }) => path === value || isText(value, hunks))
	}
	if (typeof value !== 'object' || value === null) return value === false || value === null
	const parts = Array.isArray(value) ? value : Object.values(value)
	return parts.length > 0 && parts.every((part) => isShown(part, changes))
}

function isText(value: string, hunks: FileChange['hunks']): boolean {
	const text = value.endsWith('\n') ? value.slice(0, -1) : value
	// It could stand anywhere.
	if (text.trim() === '') return false
	return hunks.some(({ lines }) => ['-', '+'].some((sign) => sideOf(lines, sign).includes(text)))
}

/** The lines of one side of a hunk, before or after. */
function sideOf(lines: readonly string[], sign: string): string {
	return lines
		.filter((line) => line.startsWith(sign) || line.startsWith(' '))
		.map((line) => line.slice(1))
		.join('\n')
}
