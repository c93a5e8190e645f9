/** Text with `*` for any characters, matched in linear time whatever the text: it is an agent's. */

/** What stands between the stars. */
export type Wildcard = readonly string[]

export function matchesWildcard(pieces: Wildcard, text: string): boolean {
	const [first = '', ...rest] = pieces
	const last = rest.pop()
	if (last === undefined) return text === first
	if (text.length < first.length + last.length) return false
	if (!text.startsWith(first) || !text.endsWith(last)) return false
	const end = text.length - last.length
	let at = first.length
	for (const piece of rest) {
		const found = text.indexOf(piece, at)
		if (found === -1 || found + piece.length > end) return false
		at = found + piece.length
	}
	return true
}
