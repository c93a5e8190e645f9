/**
 * Two changes to JSON that may have comments: one more at the end of a list or object, and one less. Not a
 * character changes beside that, but the comma before it. (`modify` of jsonc-parser formats what is around.)
 */
import jsonc, { type Node } from 'jsonc-parser'

const comma = 5

/** Adds a value to a list, or under a key to an object. */
export function addLast(text: string, container: Node, value: unknown, key?: string): string {
	const close = endOf(container) - 1
	const last = container.children?.at(-1)
	const inside = text.slice(container.offset, close)
	const style = styleOf(text)
	const name = key === undefined ? '' : `${JSON.stringify(key)}: `
	// After the last word or comment in there.
	const at = container.offset + inside.trimEnd().length
	const separated = last === undefined || commaAfter(text, endOf(last)) !== null
	if (style === null || (last !== undefined && !inside.includes('\n'))) {
		const item = `${last === undefined ? '' : ' '}${name}${JSON.stringify(value)}`
		return splice(withComma(text, separated ? null : last), at + (separated ? 0 : 1), 0, item)
	}
	const outer = indentAt(text, container.offset)
	const pad =
		last !== undefined && startsLine(text, last) ? indentAt(text, last.offset) : outer + style.unit
	const lines = (name + JSON.stringify(value, null, style.unit)).split('\n')
	const item = lines.map((line) => style.eol + pad + line).join('')
	// Where nothing is there, the end of the container comes on a line of its own.
	const ending = inside.includes('\n') ? '' : style.eol + outer
	return splice(
		withComma(text, separated ? null : last),
		at + (separated ? 0 : 1),
		0,
		item + ending,
	)
}

/** Takes away the child of a list or object (there: the property). */
export function removeChild(text: string, container: Node, index: number): string {
	const children = container.children ?? []
	const child = children[index]
	const before = children[index - 1]
	if (child === undefined) return text
	const from = container.offset + text.slice(container.offset, child.offset).trimEnd().length
	const own = commaAfter(text, endOf(child))
	if (children[index + 1] !== undefined && own !== null)
		return splice(text, from, own + 1 - from, '')
	if (before === undefined) {
		const close = endOf(container) - 1
		const to = text.slice(endOf(child), close).trim() === '' ? close : endOf(child)
		const end = own !== null && own < close ? own + 1 : to
		return splice(text, from, end - from, '')
	}
	const cut = splice(text, from, endOf(child) - from, '')
	// With a comma at the end of the list, it had one before ours came.
	if (own !== null) return cut
	const comma = commaAfter(text, endOf(before))
	return comma === null ? cut : splice(cut, comma, 1, '')
}

const endOf = ({ offset, length }: Node) => offset + length

const splice = (text: string, at: number, length: number, by: string) =>
	text.slice(0, at) + by + text.slice(at + length)

const withComma = (text: string, last: Node | null | undefined) =>
	last ? splice(text, endOf(last), 0, ',') : text

/** Where the comma behind a value is; `null`: there is none. */
function commaAfter(text: string, offset: number): number | null {
	const scanner = jsonc.createScanner(text, true)
	scanner.setPosition(offset)
	return scanner.scan() === comma ? scanner.getTokenOffset() : null
}

/** How the lines of a text end, and what its first indented line begins with; `null` for a single line. */
function styleOf(text: string): { eol: string; unit: string } | null {
	if (!text.trimEnd().includes('\n') && text.trim() !== '{}') return null
	return {
		eol: text.includes('\r\n') ? '\r\n' : '\n',
		unit: /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ',
	}
}

function lineStart(text: string, offset: number): number {
	return text.lastIndexOf('\n', offset - 1) + 1
}

function indentAt(text: string, offset: number): string {
	return /^[ \t]*/.exec(text.slice(lineStart(text, offset)))?.[0] ?? ''
}

function startsLine(text: string, { offset }: Node): boolean {
	return text.slice(lineStart(text, offset), offset).trim() === ''
}
