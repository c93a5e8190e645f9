/** A file that an agent read, as code in colours. */
import { capLine } from './caps.ts'
import { codeLanguage, highlightedCode } from './highlight.ts'
import { fold, type OutputOptions } from './plain.ts'
import { displayText, type SafeText, splitLines } from './safe-text.ts'
import { lineWidth, type StyledLine, spaces, span } from './styled.ts'
import { wrapLine } from './wrap.ts'

/** What agents put before the lines of a file: `  12→`, `00012| `, or a number and a tab. */
const numbered = /^ {0,6}0*(\d{1,7})(?:→|\t|\| ?)/

interface Row {
	number: SafeText | null
	code: SafeText
}

/**
 * A file in lines of at most `width` columns, folded as the output of a command; `null` where its language
 * is not known, or nothing is highlighted: then it is text as any other.
 */
export function codeLines(
	raw: string,
	path: string,
	width: number,
	{ limit = Number.POSITIVE_INFINITY, more }: Pick<OutputOptions, 'limit' | 'more'> = {},
): StyledLine[] | null {
	const { head, hidden, tail } = fold(raw.split(/\r?\n/).flatMap(rowsOf), limit)
	const shown = [...head, ...tail]
	const coloured = highlightedCode(
		shown.map(({ code }) => code),
		codeLanguage(path),
	)
	if (!coloured) return null
	const digits = shown.reduce((most, { number }) => Math.max(most, number?.length ?? 0), 0)
	const lines = coloured.map((line, index) => rowLines(shown[index]?.number, line, digits, width))
	if (hidden === 0 || !more) return lines.flat()
	const [start, end] = [lines.slice(0, head.length), lines.slice(head.length)]
	return [...start.flat(), [span(more(hidden), 'dim')], ...end.flat()]
}

/** One row, or more where there are line ends of another kind in it. */
function rowsOf(line: string): Row[] {
	const found = numbered.exec(line)
	const number = found?.[1] === undefined ? null : displayText(found[1])
	return splitLines(displayText(found ? line.slice(found[0].length) : line)).map((code, index) => ({
		number: index === 0 ? number : null,
		code: capLine(code).text,
	}))
}

function rowLines(
	number: SafeText | null | undefined,
	line: StyledLine,
	digits: number,
	width: number,
): StyledLine[] {
	const room = digits > 0 && digits * 3 <= width
	const gutter = room ? [span(displayText(`${(number ?? '').padStart(digits)} `), 'dim')] : []
	return wrapLine(line, width, {
		mode: 'columns',
		first: gutter,
		rest: [spaces(lineWidth(gutter))],
	})
}
