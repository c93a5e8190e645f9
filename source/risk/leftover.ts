/**
 * Text that a parser took for plain, though a shell would see more in it. Parsers differ from shells where
 * both are at their strangest (`2>(…)` is a program to bash); what is left over here is not taken for read.
 */
import type { HereDoc, Word } from 'unbash'

/** Whether a word holds operators, quotes or expansions that its parts do not account for. */
export function hasLeftover(word: Word): boolean {
	if (word.parts === undefined) return special(word.text)
	if (isIndexed(word.parts)) return true
	return word.parts.some((part) => {
		if (part.type === 'Literal') return special(part.text)
		if (part.type !== 'DoubleQuoted') return false
		if (isIndexed(part.parts)) return true
		return part.parts.some((inner) => inner.type === 'Literal' && expands(inner.text))
	})
}

/** The same of a here-document, of which a quoted one is plain. */
export function hasLeftoverText({ delimiter, body }: HereDoc): boolean {
	if (delimiter?.quoted) return false
	if (body.parts === undefined) return expands(body.text)
	if (isIndexed(body.parts)) return true
	return body.parts.some((part) => part.type === 'Literal' && expands(part.text))
}

/** zsh takes `$name[…]` for one element of a list, and runs what is in the brackets to find out which. */
function isIndexed(parts: readonly { type: string; text: string }[]): boolean {
	return parts.some(
		({ type }, index) => type === 'SimpleExpansion' && parts[index + 1]?.text.startsWith('['),
	)
}

const unescaped = (text: string) => text.replace(/\\[\s\S]/g, '')

const special = (text: string) => /[<>()|&;`"'\s]|\$[^\s]/.test(unescaped(text))
const expands = (text: string) => /`|\$[({\w@*#?!$-]/.test(unescaped(text))
