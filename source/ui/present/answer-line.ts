import { oneLine } from '../../text/one-line.ts'
import { joinText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, spaces, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'

/** `Which database? → SQLite` */
export function answerLine(
	question: string,
	words: readonly string[],
	width: number,
): StyledLine[] {
	const said = words.filter((word) => word !== '')
	const answer = said.length === 0 ? safeText`(nothing)` : joinText(said.map(oneLine), safeText`, `)
	return wrapLine(
		[span(oneLine(question), 'dim'), span(safeText` → `, 'dim'), span(answer, 'strong')],
		width,
		{ first: [spaces(3)], rest: [spaces(5)] },
	)
}
