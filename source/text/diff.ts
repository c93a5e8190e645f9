/** File changes as styled lines. */
import { diffWordsWithSpace } from 'diff'
import type { FileChange, Hunk } from '../protocol/events.ts'
import { codeLanguage, highlightedCode, isHighlighting } from './highlight.ts'
import { revealSpans } from './reveal.ts'
import { displayText, type SafeText, safeText } from './safe-text.ts'
import {
	compactLine,
	lineText,
	restyled,
	type Span,
	type Style,
	type StyledLine,
	spaces,
	span,
} from './styled.ts'
import { wrapLine } from './wrap.ts'

export interface DiffOptions {
	/** `reveal` (default) shows hidden characters as such: for what a person decides on. */
	policy?: 'reveal' | 'display'
	/** Line numbers before the lines. Default: true. */
	numbers?: boolean
}

export function diffStats(changes: readonly FileChange[]): { added: number; removed: number } {
	let [added, removed] = [0, 0]
	for (const change of changes) {
		for (const hunk of change.hunks) {
			for (const line of hunk.lines) {
				if (line.startsWith('+')) added++
				else if (line.startsWith('-')) removed++
			}
		}
	}
	return { added, removed }
}

/** `+18 −2` */
export function statsText(stats: { added: number; removed: number }): SafeText {
	return safeText`+${stats.added} −${stats.removed}`
}

/** What a change is besides its lines: a new file, one that is gone, or one of which no line is known. */
export function changeWords({ hunks }: FileChange): Span[] {
	const [hunk] = hunks
	const word = (text: SafeText) => [span(safeText`  ${text}`, 'warn')]
	if (!hunk) return word(safeText`no lines to show: empty, moved or binary`)
	if (hunks.length > 1) return []
	if (hunk.old_lines === 0 && hunk.old_start === 0 && hunk.new_start === 1)
		return word(safeText`new file`)
	if (hunk.new_lines === 0 && hunk.new_start === 0 && hunk.old_start === 1)
		return word(safeText`all of it removed`)
	return []
}

/**
 * The hunks of a change in lines of at most `width` columns, every character of them: long lines are
 * broken, not cut. Words that differ between a removed and an added line have a style of their own.
 */
export function changeLines(
	change: FileChange,
	width: number,
	options: DiffOptions = {},
): StyledLine[] {
	const { policy = 'reveal', numbers = true } = options
	const digits = numbers ? gutterDigits(change.hunks) : 0
	const gutter = digits === 0 || digits * 3 > width ? 0 : digits
	return change.hunks.flatMap((hunk, index) => [
		...(index > 0 || hunk.old_start > 1 || hunk.new_start > 1 ? [hunkHead(hunk)] : []),
		...drawnRows(hunk, change.path, policy).flatMap((row) => rowLines(row, width, gutter)),
	])
}

function hunkHead(hunk: Hunk): StyledLine {
	const { old_start, old_lines, new_start, new_lines } = hunk
	if (!isPlaced(hunk)) return [span(safeText`⋯`, 'hunk')]
	return [span(safeText`@@ −${old_start},${old_lines} +${new_start},${new_lines} @@`, 'hunk')]
}

function gutterDigits(hunks: readonly Hunk[]): number {
	const last = Math.max(
		0,
		...hunks
			.filter(isPlaced)
			.map(({ old_start, new_start, lines }) => Math.max(old_start, new_start) + lines.length),
	)
	if (last === 0) return 0
	return Math.max(2, String(last).length)
}

/** Whether it is known where in the file a hunk is. */
const isPlaced = ({ old_start, new_start }: Hunk) => old_start > 0 || new_start > 0

type Sign = '+' | '-' | ' ' | '\\'

interface Row {
	sign: Sign
	/** Number in the new file; of a removed line in the old one. `null`: a remark. */
	number: number | null
	pieces: readonly { text: string; changed: boolean }[]
}

function hunkRows(hunk: Hunk): Row[] {
	const rows: Row[] = []
	const placed = isPlaced(hunk)
	let [before, after] = [hunk.old_start, hunk.new_start]
	for (const line of hunk.lines) {
		const sign = signOf(line)
		// A line without a sign is shown whole: nothing of it may be taken for one.
		const text = sign === null ? line : line.slice(1)
		const pieces = [{ text: expandTabs(text), changed: false }]
		if (sign === '\\') rows.push({ sign, number: null, pieces })
		else if (sign === '-') rows.push({ sign, number: before++, pieces })
		else {
			rows.push({ sign: sign ?? ' ', number: after++, pieces })
			if (sign !== '+') before++
		}
	}
	return markWords(placed ? rows : rows.map((row) => ({ ...row, number: null })))
}

function signOf(line: string): Sign | null {
	const [sign] = line
	return sign === '+' || sign === '-' || sign === ' ' || sign === '\\' ? sign : null
}

const longestLine = 400
const longestRun = 60

/** Marks the changed words where a run of removed lines is followed by added ones, line by line. */
function markWords(rows: readonly Row[]): Row[] {
	const marked = [...rows]
	for (let start = 0; start < rows.length; ) {
		const removed = runOf(rows, start, '-')
		const added = runOf(rows, start + removed, '+')
		const pairs = Math.min(removed, added)
		if (pairs <= longestRun) {
			for (let index = start; index < start + pairs; index++) {
				const [old, fresh] = [rows[index], rows[index + removed]]
				const pair = old && fresh && wordChanges(rowText(old), rowText(fresh))
				if (!pair) continue
				marked[index] = { ...old, pieces: pair.removed }
				marked[index + removed] = { ...fresh, pieces: pair.added }
			}
		}
		start += Math.max(1, removed + added)
	}
	return marked
}

function runOf(rows: readonly Row[], start: number, sign: Sign): number {
	let end = start
	while (rows[end]?.sign === sign) end++
	return end - start
}

const rowText = (row: Row) => row.pieces.map(({ text }) => text).join('')

function wordChanges(old: string, fresh: string) {
	if (old.length > longestLine || fresh.length > longestLine) return null
	const changes = diffWordsWithSpace(old, fresh)
	const same = changes
		.filter(({ added, removed }) => !added && !removed)
		.reduce((sum, { value }) => sum + value.trim().length, 0)
	// Lines that share little are other lines: marks would only be noise.
	if (same * 3 < Math.max(old.trim().length, fresh.trim().length)) return null
	const side = (other: 'added' | 'removed', own: 'added' | 'removed') =>
		changes
			.filter((change) => !change[other])
			.map((change) => ({ text: change.value, changed: change[own] }))
	return { removed: side('added', 'removed'), added: side('removed', 'added') }
}

/** Tabs to stops of four columns; what comes out holds none, so they need no mark. */
function expandTabs(text: string): string {
	if (!text.includes('\t')) return text
	let column = 0
	return text.replace(/[^\t]+|\t/g, (piece) => {
		const shown = piece === '\t' ? ' '.repeat(4 - (column % 4)) : piece
		column += shown.length
		return shown
	})
}

const styles: Record<Sign, { plain: Style; changed: Style }> = {
	'+': { plain: 'added', changed: 'addedWord' },
	'-': { plain: 'removed', changed: 'removedWord' },
	' ': { plain: 'plain', changed: 'plain' },
	'\\': { plain: 'dim', changed: 'dim' },
}

interface DrawnRow {
	sign: Sign
	number: number | null
	content: StyledLine
}

const drawn = new WeakMap<Hunk, { variant: string; rows: readonly DrawnRow[] }>()

/** The rows of a hunk in their colours. Kept: a request is drawn anew with every frame. */
function drawnRows(hunk: Hunk, path: string, policy: 'reveal' | 'display'): readonly DrawnRow[] {
	const variant = `${policy} ${isHighlighting()} ${path}`
	const known = drawn.get(hunk)
	if (known?.variant === variant) return known.rows
	const rows = hunkRows(hunk).map((row) => ({ ...row, content: contentOf(row, policy) }))
	// What is gone stays red: the colours of code are for what is there.
	const there = rows.filter(({ sign }) => sign === '+' || sign === ' ')
	const coloured = highlightedCode(
		there.map(({ content }) => lineText(content)),
		codeLanguage(path),
	)
	for (const [index, row] of there.entries()) {
		const line = coloured?.[index]
		if (line) row.content = restyled(row.content, line, styles[row.sign].plain)
	}
	drawn.set(hunk, { variant, rows })
	return rows
}

function contentOf(row: Row, policy: 'reveal' | 'display'): StyledLine {
	const style = styles[row.sign]
	const spans = row.pieces.flatMap(({ text, changed }): Span[] => {
		const own = changed ? style.changed : style.plain
		if (policy === 'reveal') return revealSpans(text, own)
		return [span(displayText(text.replaceAll(/[\n\r\v\f\x85\u2028\u2029]/g, ' ')), own)]
	})
	return compactLine(spans)
}

function rowLines(row: DrawnRow, width: number, digits: number): StyledLine[] {
	const style = styles[row.sign]
	const number = row.number === null ? '' : String(row.number)
	const gutter = digits === 0 ? [] : [span(displayText(`${number.padStart(digits)} `), 'dim')]
	const sign = row.sign === '\\' ? ' ' : row.sign
	return wrapLine(row.content, width, {
		mode: 'columns',
		first: [...gutter, span(displayText(`${sign} `), style.plain)],
		rest: [spaces(digits === 0 ? 2 : digits + 3)],
	})
}
