/** How deep the JSON that clients send may nest; what ours sends nests six levels. */
export const maxJsonDepth = 64

const quote = 0x22
const backslash = 0x5c

/**
 * Whether brackets nest deeper than `limit`. PostgreSQL's parser recurses over JSON without a look at
 * its stack, which the embedded engine does not survive, and so does `JSON.stringify`.
 */
export function nestsDeeper(text: string, limit = maxJsonDepth): boolean {
	let depth = 0
	for (let place = 0; place < text.length; place += 1) {
		const code = text.charCodeAt(place)
		if (code === quote) {
			place = endOfString(text, place)
		} else if (code === 0x5b || code === 0x7b) {
			depth += 1
			if (depth > limit) return true
		} else if (code === 0x5d || code === 0x7d) {
			depth -= 1
		}
	}
	return false
}

function endOfString(text: string, start: number): number {
	let end = start
	while (true) {
		end = text.indexOf('"', end + 1)
		if (end === -1) return text.length
		let escapes = 0
		while (text.charCodeAt(end - 1 - escapes) === backslash) escapes += 1
		if (escapes % 2 === 0) return end
	}
}
