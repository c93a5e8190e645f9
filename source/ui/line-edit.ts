/** One line of text being typed. `cursor` counts graphemes from the start. */
export interface LineEdit {
	characters: readonly string[]
	cursor: number
}

export const emptyEdit: LineEdit = { characters: [], cursor: 0 }

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Longest text that can be typed, in graphemes. */
export const longestEdit = 500

export function editText(edit: LineEdit): string {
	return edit.characters.join('')
}

/** Types or pastes text at the cursor. Line ends become spaces, other control characters are left out. */
export function insertText(edit: LineEdit, text: string): LineEdit {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be removed
	const clean = text.replace(/[\r\n\t]+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
	const added = Array.from(segmenter.segment(clean), ({ segment }) => segment).slice(
		0,
		longestEdit - edit.characters.length,
	)
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
export function editKey(edit: LineEdit, key: string): LineEdit | null {
	return moves[key]?.(edit) ?? null
}

function removed(edit: LineEdit, at: number): LineEdit {
	if (at < 0 || at >= edit.characters.length) return edit
	return { characters: edit.characters.toSpliced(at, 1), cursor: at }
}
