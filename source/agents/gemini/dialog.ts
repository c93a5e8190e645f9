/**
 * What Gemini CLI asks on its screen. The question is the last thing there, in a frame as wide as the screen,
 * in the place of the line for prompts. Nothing that a model says or a tool puts out gets there: that is drawn
 * above the line for prompts, set in, or in a frame within a frame.
 */
import type { Hunk } from '../../protocol/events.ts'
import { textWidth } from '../../text/width.ts'

export interface Dialog {
	/** What the agent calls the tool: `Shell`, `Edit`, `WriteFile`. */
	label: string
	title: string
	/** `1 of 2`, where it is one of several; else empty. */
	position: string
	/** The rows of the inner frame: a command, or a diff. */
	body: readonly string[]
	/** Some of it is not on the screen. */
	cut: boolean
	question: string
	options: readonly string[]
	/** Columns that a row of the body can fill. */
	width: number
}

/** Rows that a title may take. */
const mostTitleRows = 6
/** A row that ends so near to the frame may go on in the next: the agent wraps by its own rules. */
const wrapMargin = 8

/** `null` where the end of the screen is no such question. */
export function readDialog(rows: readonly string[], columns: number): Dialog | null {
	const last = rows.findLastIndex((row) => row !== '')
	if (!isEdge(rows[last], '╰', '╯', columns)) return null
	const lines: string[] = []
	for (let row = last - 1; row >= 0; row--) {
		const content = /^│ (.*)│$/.exec(rows[row] ?? '')?.[1]
		if (content === undefined) break
		lines.unshift(content.trimEnd())
	}
	const options: string[] = []
	let chosen = 0
	for (;;) {
		const option = /^(●| ) (\d+)\. (.+)$/.exec(lines.at(-1) ?? '')
		if (option === null) break
		lines.pop()
		options.unshift(option[3] ?? '')
		if (option[1] === '●') chosen++
		// They are counted from the last up: that the first is 1 shows that all are there.
		if (Number(option[2]) === 1) break
	}
	if (options.length < 2 || chosen !== 1) return null
	return withBody(lines, options, columns)
}

function withBody(
	lines: readonly string[],
	options: readonly string[],
	columns: number,
): Dialog | null {
	const end = lines.findLastIndex((line) => /^╰─+╯$/.test(line))
	const start = lines.findLastIndex((line, index) => index < end && /^╭─+╮$/.test(line))
	if (end < 0 || start < 0) return null
	const body = lines.slice(start + 1, end).map((line) => /^│ (.*)│$/.exec(line)?.[1]?.trimEnd())
	if (!body.every((line) => line !== undefined)) return null
	const header = lines.findLastIndex((line, index) => index < start && line.startsWith('? '))
	if (header < 0 || start - header > mostTitleRows) return null
	const named = /^\? (\S.*?)(?: {2}(.*))?$/.exec(lines[header] ?? '')
	if (named === null) return null
	const said = named[2] ?? ''
	const position = / {2,}(\d+ of \d+)$/.exec(said)?.[1] ?? ''
	const first = said.slice(0, said.length - position.length).trimEnd()
	return {
		label: named[1] ?? '',
		title: [first, ...lines.slice(header + 1, start)].join(' ').trim(),
		position,
		body,
		cut: body.some((line) => /^\.\.\. (?:first|last) \d+ lines? hidden .*\.\.\.$/.test(line)),
		question: lines
			.slice(end + 1)
			.filter((line) => line !== '')
			.join('\n'),
		options,
		width: columns - 8,
	}
}

/** Whether something else is asked that has choices. */
export function asksOtherwise(rows: readonly string[], columns: number): boolean {
	if (readComposer(rows, columns) !== null || readDialog(rows, columns) !== null) return false
	return rows.some((row) => /^[\s│]*● \d+\. /.test(row))
}

/** Whether one is the other, whatever is chosen in it at the moment, and however wide the screen is. */
export function sameDialog(one: Dialog, other: Dialog): boolean {
	return JSON.stringify({ ...one, width: 0 }) === JSON.stringify({ ...other, width: 0 })
}

/** The body word for word; `null` where the screen does not tell a line's end from a wrapped line. */
export function exactText({ body, cut, width }: Dialog): string | null {
	if (cut || body.length === 0) return null
	for (const [index, row] of body.entries()) {
		const next = body[index + 1]
		const word = /^\S*/.exec(next ?? '')?.[0] ?? ''
		if (textWidth(row) + 1 + textWidth(word) > width - wrapMargin) return null
	}
	return body.join('\n')
}

/** The key that chooses an option, by its words; `null` where it is not offered. */
export function keyOf({ options }: Dialog, ...words: readonly string[]): string | null {
	const index = options.findIndex((option) => words.includes(option))
	return index < 0 || index > 8 ? null : String(index + 1)
}

/** The diff in the body; `null` when it is none, or not all of it is there. */
export function hunksIn(dialog: Dialog): Hunk[] | null {
	if (dialog.cut || dialog.body.some((row) => textWidth(row) > dialog.width - wrapMargin))
		return null
	const marked = dialog.body.some((row) => /^\s*\d+ [+-] /.test(row))
	const hunks: Hunk[] = []
	let hunk: Hunk | null = null
	for (const row of dialog.body) {
		if (/^═+$/.test(row)) {
			hunk = null
			continue
		}
		const line = (marked ? /^\s*(\d+) ([ +-])(?: (.*))?$/ : /^\s*(\d+)(?: (.*))?$/).exec(row)
		if (line === null) return null
		const number = Number(line[1])
		const sign = marked ? (line[2] ?? ' ') : '+'
		hunk ??= begin(hunks, number, marked)
		hunk.lines.push(`${sign}${(marked ? line[3] : line[2]) ?? ''}`)
		if (sign !== '+') hunk.old_lines++
		if (sign !== '-') hunk.new_lines++
	}
	return hunks
}

function begin(hunks: Hunk[], number: number, marked: boolean): Hunk {
	// Rows are numbered in the file they are of; before the first hunk both files are the same.
	const moved = hunks.reduce((sum, one) => sum + one.new_lines - one.old_lines, 0)
	const old_start = marked ? number : 0
	const hunk = { old_start, old_lines: 0, new_start: number + moved, new_lines: 0, lines: [] }
	hunks.push(hunk)
	return hunk
}

function isEdge(row: string | undefined, left: string, right: string, columns: number): boolean {
	return row === left + '─'.repeat(Math.max(0, columns - 2)) + right
}

/** The line for prompts, at the end of the screen. */
export interface Composer {
	/** What is typed there; empty: only the placeholder is shown. */
	text: string
	/** The agent works. */
	busy: boolean
}

const placeholder = 'Type your message or @path/to/file'

/** `null` where there is none, or another than the ordinary one (a shell's, a search). */
export function readComposer(rows: readonly string[], columns: number): Composer | null {
	const rule = rows.lastIndexOf('─'.repeat(columns))
	if (rule < 0) return null
	const first = rows.findIndex((row, index) => index > rule && /^ > {1,3}/.test(row))
	if (first < 0 || first > rule + 4) return null
	const typed: string[] = [/^ > {1,3}(.*)$/.exec(rows[first] ?? '')?.[1] ?? '']
	for (const row of rows.slice(first + 1)) {
		if (!row.startsWith('   ')) break
		typed.push(row.slice(3))
	}
	const text = typed.join('\n').trim()
	const above = rows.slice(Math.max(0, rule - 3), rule)
	return {
		text: text === placeholder ? '' : text,
		busy: above.some((row) => /^ \S .*\(esc to cancel/.test(row)),
	}
}
