import { expect, test } from 'vitest'
import {
	block,
	editKey,
	editText,
	emptyEdit,
	insertText,
	longestEdit,
} from '../../source/ui/line-edit.ts'

const typed = (text: string) => insertText(emptyEdit, text)

function after(text: string, ...keys: readonly string[]) {
	return keys.reduce((edit, key) => editKey(edit, key) ?? insertText(edit, key), typed(text))
}

test.each([
	['abc', ['backspace'], 'ab', 2],
	['abc', ['left', 'X'], 'abXc', 3],
	['abc', ['home', 'delete'], 'bc', 0],
	['abc', ['home', 'backspace'], 'abc', 0],
	['abc', ['end', 'delete'], 'abc', 3],
	['one two  ', ['ctrl-w'], 'one ', 4],
	['one two', ['left', 'left', 'ctrl-u'], 'wo', 0],
	['one two', ['ctrl-a', 'right', 'ctrl-k'], 'o', 1],
	['née 👩‍👩‍👧 é', ['left', 'left', 'backspace'], 'née  é', 4],
])('%j and %j is %j', (text, keys, expected, cursor) => {
	const edit = after(text, ...keys)
	expect(editText(edit)).toBe(expected)
	expect(edit.cursor).toBe(cursor)
})

test('line ends become spaces and no other control character is kept', () => {
	expect(editText(typed('a\r\nb\u001B[31mc\u0007\u009Bd'))).toBe('a b[31mcd')
})

test('text has a longest length', () => {
	const edit = insertText(typed('x'.repeat(longestEdit - 1)), 'yz')
	expect(edit.characters).toHaveLength(longestEdit)
	expect(edit.cursor).toBe(longestEdit)
})

test('other keys are no editing', () => {
	expect(editKey(emptyEdit, 'f1')).toBeNull()
	expect(editKey(emptyEdit, 'a')).toBeNull()
})

test.each([
	['one\ntwo', ['up'], 3],
	['one\ntwo three', ['up'], 3],
	['one\ntwo', ['home'], 4],
	['one\ntwo', ['up', 'home'], 0],
	['one\ntwo', ['up', 'left', 'down'], 6],
	['one\n\nthree', ['up'], 4],
	['one\n\nthree', ['up', 'up'], 0],
	['one\ntwo', ['up', 'up'], 0],
	['one\ntwo', ['down'], 7],
	['\n', ['up', 'end'], 0],
])('in %j the keys %j go to %d', (text, keys, cursor) => {
	const edit = keys.reduce(
		(edit, key) => editKey(edit, key, block) ?? edit,
		insertText(emptyEdit, text, block),
	)
	expect(editText(edit)).toBe(text)
	expect(edit.cursor).toBe(cursor)
})

test('in a text of several lines, line ends and tabs are kept, and a key cuts its own line only', () => {
	const edit = insertText(emptyEdit, 'a\r\n\tb\u001B[31m\rc d', block)
	expect(editText(edit)).toBe('a\n\tb[31m\nc d')
	expect(editText(editKey(edit, 'ctrl-u', block) ?? emptyEdit)).toBe('a\n\tb[31m\n')
	const above = editKey(edit, 'up', block) ?? emptyEdit
	expect(editText(editKey(above, 'ctrl-k', block) ?? emptyEdit)).toBe('a\n\tb[\nc d')
})
