import { oneLine } from '../../text/one-line.ts'
import { displayText, type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, padLine, type StyledLine, span } from '../../text/styled.ts'
import type { RecoveryAct } from '../../viewer/devices.ts'
import { fact, paragraph } from './facts.ts'
import { progressLine } from './progress.ts'

/** Columns of a word with its number. */
const wordColumns = 14

/** The words once, then what is asked of them, then what came of it. */
export function recoveryLines(act: RecoveryAct, width: number): StyledLine[] {
	const { step, words, problem, progress, replaces } = act
	switch (step) {
		case 'making':
			return [[span(safeText`  `), ...progressLine(safeText`making 24 words`, null)]]
		case 'shown':
			return [
				...paragraph(
					safeText`Write these 24 words down, on paper. Whoever has them can read everything; they are shown this once.${replaces ? safeText` They take the place of the recovery key that there is, which is then revoked.` : safeText``}`,
					width,
					'warn',
				),
				emptyLine,
				...wordLines(words, width),
			]
		case 'asked':
			return [
				...paragraph(
					safeText`Two of the words show that they were written down. esc shows all of them again.`,
					width,
				),
			]
		case 'registering':
			return [[span(safeText`  `), ...progressLine(safeText`giving it all keys`, progress)]]
		case 'done':
			return [
				...paragraph(safeText`✓ The recovery key is made, and can read everything.`, width, 'ok'),
				...(replaces
					? paragraph(safeText`✓ The one before was revoked: its words are of no use.`, width, 'ok')
					: []),
				emptyLine,
				...fact(
					safeText`use it`,
					safeText`start styrby-tui on another machine, and press w`,
					width,
				),
				...fact(safeText`or type`, safeText`styrby-tui devices recover`, width, 'code'),
			]
		case 'failed':
			return paragraph(safeText`✗ ${oneLine(problem ?? '')}`, width, 'error')
	}
}

/** In columns, to be read down. */
export function wordLines(words: readonly string[], width: number): StyledLine[] {
	const across = Math.max(1, Math.min(4, Math.floor((width - 2) / wordColumns)))
	const rows = Math.ceil(words.length / across)
	return Array.from({ length: rows }, (_, row) => [
		span(safeText`  `),
		...Array.from({ length: across }, (_, column) => cell(words, column * rows + row)).flat(),
	])
}

function cell(words: readonly string[], index: number): StyledLine {
	const word = words[index]
	if (word === undefined) return []
	return padLine([span(place(index), 'dim'), span(displayText(word), 'strong')], wordColumns)
}

function place(index: number): SafeText {
	return displayText(`${String(index + 1).padStart(2)} `)
}
