/**
 * What Aider waits for, read off its screen: a question with its choices, or the next prompt. Only where the
 * cursor stands right behind it, with nothing typed yet and nothing below.
 */
import type { Screen } from '../pty/screen.ts'
import { isKnownQuestion } from './known-questions.ts'

/** A question that is answered with one letter. */
export interface Confirm {
	question: string
	/** The whole line, as Aider also writes it down: question, choices, default. */
	line: string
	/** "All": yes, to this one and the rest of its group. */
	all: boolean
	/** "Skip all": no, to this one and the rest of its group. */
	skip: boolean
	/** What Enter alone means. */
	byDefault: string
	/** Row that it begins on. */
	row: number
}

export interface Input {
	/** The chat mode that the prompt names; the usual one is not named. */
	mode: string | null
	/** Enter begins a new line, and only Alt-Enter sends. */
	multiline: boolean
}

/** Rows that a question may take on a narrow screen. */
const mostRows = 8

const confirmForm =
	/^(\S.*?) \(Y\)es\/\(N\)o(\/\(A\)ll)?(\/\(S\)kip all)?(?:\/\(D\)on't ask again)? \[([A-Za-z]{1,10})\]: $/

/**
 * The question that the cursor stands behind; `null` where there is none, or part of an answer. `isKnown`
 * decides where it begins: a row above that is full may be part of it, or end something else.
 */
export function confirmAt(
	screen: Screen,
	isKnown: (question: string) => boolean = isKnownQuestion,
): Confirm | null {
	let found: Confirm | null = null
	for (const { text, row } of linesToCursor(screen)) {
		const [line, question = '', all, skip, byDefault = ''] = confirmForm.exec(text) ?? []
		// A gap comes from a row that was not full: what follows is then another line.
		if (/ {2}/.test(question)) break
		if (line === undefined || question.includes('(Y)es')) continue
		found = {
			question,
			line: line.trim(),
			all: all !== undefined,
			skip: skip !== undefined,
			byDefault,
			row,
		}
		if (isKnown(question)) break
	}
	return found
}

const inputForm = /^(?:([a-z]+(?:-[a-z]+)*)( multi)?|(multi))?> $/

/** The empty input line that the cursor stands on, or `null`. */
export function inputAt(screen: Screen): Input | null {
	const [line] = linesToCursor(screen)
	const match = inputForm.exec(line?.text ?? '')
	if (match === null) return null
	const [, mode = null, also, only] = match
	// Without a chat mode the word itself stands for the many lines.
	if (mode === 'multi') return { mode: null, multiline: true }
	return { mode, multiline: also !== undefined || only !== undefined }
}

/** How the answer to a question was typed; `null` while its line is still the cursor's, or is gone. */
export function typedAnswer(screen: Screen, confirm: Confirm, row: number): string | null {
	const { columns } = screen.size
	const rows = Math.max(1, Math.ceil(confirm.line.length / columns))
	let text = ''
	for (let at = row; at < row + rows; at++) text += screen.row(at).padEnd(columns)
	if (!text.startsWith(confirm.line)) return null
	return text.slice(confirm.line.length).trim()
}

/** Lines of text right above a row, down from the last empty one. */
export function linesAbove(screen: Screen, row: number): string[] {
	const lines: string[] = []
	for (const { text } of screen.lines(row - 200, row - 1).reverse()) {
		if (text === '') break
		lines.unshift(text)
	}
	return lines
}

/** The text before the cursor, as it would begin on its row or on one of those above it. */
function* linesToCursor(screen: Screen): Generator<{ text: string; row: number }, void, void> {
	const { columns, rows } = screen.size
	const { column, row } = screen.cursor
	if (screen.row(row).length > column) return
	for (let below = row + 1; below < rows; below++) if (screen.row(below) !== '') return
	let text = screen.row(row).padEnd(column)
	yield { text, row }
	for (let first = row - 1; first > row - mostRows; first--) {
		text = screen.row(first).padEnd(columns) + text
		yield { text, row: first }
	}
}
