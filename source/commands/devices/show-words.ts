/** Shows the words of a new recovery key once, and asks for two of them. */
import { randomInt } from 'node:crypto'
import { askLine } from '../ask.ts'
import type { Io } from '../io.ts'

const meaning = 'no recovery key was made, and the words shown are worth nothing'
const perLine = 4

/** As they are to be written down: numbered, four a line. */
export function wordTable(words: readonly string[]): string {
	const cells = words.map((word, index) => `${String(index + 1).padStart(2)}. ${word.padEnd(9)}`)
	const lines: string[] = []
	for (let at = 0; at < cells.length; at += perLine) {
		lines.push(
			`  ${cells
				.slice(at, at + perLine)
				.join('  ')
				.trimEnd()}`,
		)
	}
	return `${lines.join('\n')}\n`
}

/**
 * Returns once two of the words were typed right; after a wrong one all are shown again. They stand on the
 * alternate screen, so that no scrollback keeps them. Throws `interrupted`.
 */
export async function showWords(io: Io, words: readonly string[]): Promise<void> {
	for (;;) {
		await showOnce(io, words)
		if (await typedTwo(io, words)) return
		io.stdout.write('That is not the word. Here they are once more.\n')
		await askLine(io, 'Press return to see them: ', meaning)
	}
}

async function showOnce(io: Io, words: readonly string[]): Promise<void> {
	io.stdout.write(`\x1b[?1049h\x1b[2J\x1b[H${wordTable(words)}
These 24 words can read everything, and can let devices in. Write them down on
paper, in this order, and keep it where nobody else looks. They are not shown again.

`)
	try {
		await askLine(io, 'Press return when they are written down: ', meaning)
	} finally {
		io.stdout.write('\x1b[2J\x1b[3J\x1b[H\x1b[?1049l')
	}
}

async function typedTwo(io: Io, words: readonly string[]): Promise<boolean> {
	const first = randomInt(words.length)
	const second = (first + 1 + randomInt(words.length - 1)) % words.length
	for (const at of [first, second].sort((a, b) => a - b)) {
		const typed = await askLine(io, `Word ${at + 1}: `, meaning)
		if (typed.toLowerCase() !== words[at]) return false
	}
	return true
}
