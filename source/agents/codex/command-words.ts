/**
 * The words of a command line that Codex put together from a list of arguments: quoted text only, no
 * expansions. `null` for anything that is not such a line.
 */
export function commandWords(line: string): string[] | null {
	const words: string[] = []
	let word: string | null = null
	let quote: '"' | "'" | null = null
	for (let i = 0; i < line.length; i++) {
		const sign = line[i] ?? ''
		if (quote === "'") {
			if (sign === "'") quote = null
			else word += sign
		} else if (quote === '"') {
			const next = line[i + 1]
			if (sign === '"') quote = null
			else if (sign === '\\' && next !== undefined && '"\\$`'.includes(next)) {
				word += next
				i++
			} else if (sign === '$' || sign === '`') return null
			else word += sign
		} else if (sign === '"' || sign === "'") {
			quote = sign
			word ??= ''
		} else if (sign === '\\') {
			const next = line[++i]
			if (next === undefined || next === '\n') return null
			word = (word ?? '') + next
		} else if (sign === ' ') {
			if (word !== null) words.push(word)
			word = null
		} else if (/[\s$`;&|<>(){}*?#!~[\]]/.test(sign)) return null
		else word = (word ?? '') + sign
	}
	if (quote !== null) return null
	if (word !== null) words.push(word)
	return words
}

/**
 * A command as it is shown: the list of its arguments where the line can be taken apart, so that a shell's
 * own text is what a person reads and what is assessed; else the line.
 */
export function shownCommand(line: string): string | string[] {
	const words = commandWords(line)
	return words === null || words.length === 0 ? line : words
}
