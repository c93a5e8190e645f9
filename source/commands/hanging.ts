/**
 * `text` behind `prefix`, broken at spaces so that it fits `width` columns; further lines stand under the
 * first one's text. A word that is longer than that (a path, a command) stays whole, to be copied.
 * `measure` gives the columns of a text: its length, as the help is ASCII and has to be there at once.
 */
export function hanging(
	prefix: string,
	text: string,
	width = Number.POSITIVE_INFINITY,
	measure: (text: string) => number = (one) => one.length,
): string[] {
	const indent = measure(prefix)
	const room = width - indent
	// Too narrow for two columns: the terminal wraps better than we do.
	if (room < 20) return [prefix + text]
	const lines: string[] = []
	let line = ''
	for (const word of text.split(' ')) {
		const longer = line === '' ? word : `${line} ${word}`
		if (line !== '' && measure(longer) > room) {
			lines.push(line)
			line = word
		} else line = longer
	}
	lines.push(line)
	return lines.map((one, index) => (index === 0 ? prefix : ' '.repeat(indent)) + one)
}

/** The columns of the terminal that is written to; endless where it is none, so that scripts get whole lines. */
export function widthOf(stdout: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>): number {
	return stdout.isTTY && stdout.columns > 0 ? stdout.columns : Number.POSITIVE_INFINITY
}
