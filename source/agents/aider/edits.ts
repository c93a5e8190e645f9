/** Edits and commands in a reply of the model's: Aider reads them out of its text. */
import { resolve } from 'node:path'
import type { FileChange } from '../../protocol/events.ts'
import {
	applied,
	diff,
	type FileEdit,
	hunksOf,
	type ReadText,
	readSmallFile,
	type TextEdit,
} from '../file-changes.ts'

/** Of a file; what is longer is none. */
const longestName = 1000

const searchMark = /^<{5,9} SEARCH>?\s*$/
const dividerMark = /^={5,9}\s*$/
const replaceMark = /^>{5,9} REPLACE\s*$/
const fence = /^\s*`{3,}/
/** Whatever comes after these letters: Aider looks no further. */
const shellFence = /^\s*```(?:bash|sh|cmd|batch|powershell|ps1|zsh|fish|ksh|csh|tcsh)/

/** Edit blocks of a reply, by the name that the model gave the file. */
export function editsIn(reply: string): Map<string, TextEdit[]> {
	const lines = reply.split('\n')
	const edits = new Map<string, TextEdit[]>()
	let name = ''
	for (let at = 0; at < lines.length; at++) {
		if (!searchMark.test(lines[at] ?? '')) continue
		name = nameAbove(lines, at) ?? name
		const divider = indexFrom(lines, at + 1, dividerMark)
		const end = divider < 0 ? -1 : indexFrom(lines, divider + 1, replaceMark)
		if (divider < 0 || end < 0) break
		const of = edits.get(name) ?? []
		of.push({
			old_string: block(lines.slice(at + 1, divider)),
			new_string: block(lines.slice(divider + 1, end)),
			replace_all: false,
		})
		edits.set(name, of)
		at = end
	}
	return edits
}

/** The whole new content of a file, in the format in which models give just that. */
function contentIn(reply: string, path: string): string | null {
	const lines = reply.split('\n')
	for (let at = 1; at < lines.length; at++) {
		if (!fence.test(lines[at] ?? '') || plainName(lines[at - 1] ?? '') !== path) continue
		const end = indexFrom(lines, at + 1, /^`{3,}\s*$/)
		return block(lines.slice(at + 1, end < 0 ? undefined : end))
	}
	return null
}

/** Shell blocks of a reply, each as one text: Aider asks about them one by one. */
export function commandsIn(reply: string): string[] {
	const commands: string[] = []
	let open: string[] | null = null
	for (const line of reply.split('\n')) {
		if (open === null) open = shellFence.test(line) ? [] : null
		else if (/^\s*```/.test(line)) {
			commands.push(open.join('\n').trim())
			open = null
		} else open.push(line)
	}
	// One that the reply does not end counts too.
	if (open !== null) commands.push(open.join('\n').trim())
	return commands
}

/**
 * What a reply changes in a file: as it would be, or as it was where the file has the new text already.
 * Empty where the reply says nothing of that file.
 */
export async function changesOf(
	reply: string,
	path: string,
	root: string,
	readText: ReadText = readSmallFile,
): Promise<FileChange[]> {
	const edits = editsIn(reply).get(path) ?? null
	const content = edits === null ? contentIn(reply, path) : null
	if (edits === null && content === null) return []
	const edit: FileEdit = { path, edits, content: content ?? '' }
	const full = resolve(root, path)
	const text = await readText(full)
	return [{ path: full, hunks: backwards(edit, text) ?? hunksOf(edit, text === '' ? null : text) }]
}

/** Hunks of an edit that was made already. `null` where it was not, or that can't be told. */
function backwards({ edits }: FileEdit, text: string | null | undefined) {
	if (edits === null || typeof text !== 'string' || text === '') return null
	if (applied(text, edits) !== null) return null
	if (edits.length === 1 && edits[0]?.old_string === '') {
		const created = edits[0].new_string === text
		return created ? hunksOf({ path: '', edits: null, content: text }, null) : null
	}
	const undone = applied(
		text,
		edits.toReversed().map(({ old_string, new_string }) => ({
			old_string: new_string,
			new_string: old_string,
			replace_all: false,
		})),
	)
	return undone === null ? null : diff(undone, text)
}

function indexFrom(lines: readonly string[], from: number, mark: RegExp): number {
	for (let at = from; at < lines.length; at++) if (mark.test(lines[at] ?? '')) return at
	return -1
}

function block(lines: readonly string[]): string {
	return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** The file's name stands on one of the three lines above, before or behind the fence. */
function nameAbove(lines: readonly string[], at: number): string | null {
	for (const line of lines.slice(Math.max(0, at - 3), at).reverse()) {
		// A block right after another is of the same file.
		if (replaceMark.test(line)) return null
		const name = plainName(line)
		if (name !== '' && !fence.test(line)) return name
		if (!fence.test(line)) return null
	}
	return null
}

function plainName(line: string): string {
	if (line.length > longestName) return ''
	return line
		.trim()
		.replace(/^#+\s*/, '')
		.replace(/:$/, '')
		.replace(/^[`*]+|[`*]+$/g, '')
		.trim()
}
