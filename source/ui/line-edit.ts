/** Text being typed, in one line or in several. `cursor` counts graphemes from the start. */
export interface LineEdit {
	characters: readonly string[]
	cursor: number
}

export const emptyEdit: LineEdit = { characters: [], cursor: 0 }

/** Made with the first text: it takes longer than the rest of a start's own code. */
let segmenter: Intl.Segmenter | null = null

function graphemes(text: string): string[] {
	segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
	return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

/** Longest line that can be typed, in graphemes. */
export const longestEdit = 500

/** What may be typed: one line, or a text with line ends and tabs. */
export interface EditRules {
	lines: boolean
	/** In graphemes. */
	longest: number
}
export const oneLine: EditRules = { lines: false, longest: longestEdit }
export const block: EditRules = { lines: true, longest: 200_000 }

export function editText(edit: LineEdit): string {
	return edit.characters.join('')
}

/**
 * Types or pastes text at the cursor. In one line, line ends and tabs become spaces; control characters are
 * left out.
 */
export function insertText(edit: LineEdit, text: string, rules: EditRules = oneLine): LineEdit {
	const ended = rules.lines
		? text.replace(/\r\n?|[\v\f\x85\u2028\u2029]/g, '\n')
		: text.replace(/[\r\n\t\v\f\x85\u2028\u2029]+/g, ' ')
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be removed
	const clean = ended.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
	const added = graphemes(clean).slice(0, rules.longest - edit.characters.length)
	return {
		characters: edit.characters.toSpliced(edit.cursor, 0, ...added),
		cursor: edit.cursor + added.length,
	}
}

const moves: Readonly<Record<string, (edit: LineEdit) => LineEdit>> = {
	left: (edit) => ({ ...edit, cursor: Math.max(0, edit.cursor - 1) }),
	right: (edit) => ({ ...edit, cursor: Math.min(edit.characters.length, edit.cursor + 1) }),
	home: (edit) => ({ ...edit, cursor: 0 }),
	end: (edit) => ({ ...edit, cursor: edit.characters.length }),
	'ctrl-a': (edit) => ({ ...edit, cursor: 0 }),
	'ctrl-e': (edit) => ({ ...edit, cursor: edit.characters.length }),
	backspace: (edit) => removed(edit, edit.cursor - 1),
	delete: (edit) => removed(edit, edit.cursor),
	'ctrl-u': (edit) => ({ characters: edit.characters.slice(edit.cursor), cursor: 0 }),
	'ctrl-k': (edit) => ({ ...edit, characters: edit.characters.slice(0, edit.cursor) }),
	'ctrl-w': (edit) => {
		const before = edit.characters.slice(0, edit.cursor)
		while (before.at(-1) === ' ') before.pop()
		while (before.length > 0 && before.at(-1) !== ' ') before.pop()
		return {
			characters: [...before, ...edit.characters.slice(edit.cursor)],
			cursor: before.length,
		}
	},
}

/** Applies one editing key; `null` when the key does not edit. */
export function editKey(edit: LineEdit, key: string, rules: EditRules = oneLine): LineEdit | null {
	const move = (rules.lines ? lineMoves[key] : undefined) ?? moves[key]
	return move?.(edit) ?? null
}

/** Whether the key moves in the text or changes it, where a text is typed. */
export function isEditingKey(key: string): boolean {
	return Object.hasOwn(moves, key) || Object.hasOwn(lineMoves, key)
}

/** Where the line that the cursor is in begins and ends. */
function lineAt({ characters }: LineEdit, cursor: number): { from: number; to: number } {
	const from = characters.lastIndexOf('\n', cursor - 1) + 1
	const to = characters.indexOf('\n', cursor)
	return { from: cursor === 0 ? 0 : from, to: to < 0 ? characters.length : to }
}

/** These keep to the line that the cursor is in, or go to another one. */
const lineMoves: Readonly<Record<string, (edit: LineEdit) => LineEdit>> = {
	up: (edit) => toLine(edit, lineAt(edit, edit.cursor).from - 1),
	down: (edit) => toLine(edit, lineAt(edit, edit.cursor).to + 1),
	home: (edit) => ({ ...edit, cursor: lineAt(edit, edit.cursor).from }),
	end: (edit) => ({ ...edit, cursor: lineAt(edit, edit.cursor).to }),
	'ctrl-a': (edit) => ({ ...edit, cursor: lineAt(edit, edit.cursor).from }),
	'ctrl-e': (edit) => ({ ...edit, cursor: lineAt(edit, edit.cursor).to }),
	'ctrl-u': (edit) => cut(edit, lineAt(edit, edit.cursor).from, edit.cursor),
	'ctrl-k': (edit) => cut(edit, edit.cursor, lineAt(edit, edit.cursor).to),
}

/** To the same place of the line that `within` is in; to an end of the text where there is no such line. */
function toLine(edit: LineEdit, within: number): LineEdit {
	if (within < 0) return { ...edit, cursor: 0 }
	if (within > edit.characters.length) return { ...edit, cursor: edit.characters.length }
	const offset = edit.cursor - lineAt(edit, edit.cursor).from
	const { from, to } = lineAt(edit, within)
	return { ...edit, cursor: Math.min(from + offset, to) }
}

function cut(edit: LineEdit, from: number, to: number): LineEdit {
	return { characters: edit.characters.toSpliced(from, to - from), cursor: from }
}

function removed(edit: LineEdit, at: number): LineEdit {
	if (at < 0 || at >= edit.characters.length) return edit
	return { characters: edit.characters.toSpliced(at, 1), cursor: at }
}
