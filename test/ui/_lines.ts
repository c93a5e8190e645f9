import { lineText, lineWidth, type StyledLine } from '../../source/text/styled.ts'

/** Lines as one text, as a person reads them. */
export function textOf(lines: readonly StyledLine[]): string {
	return lines.map((line) => lineText(line).trimEnd()).join('\n')
}

/** The widest line, in columns. */
export function widest(lines: readonly StyledLine[]): number {
	return Math.max(0, ...lines.map(lineWidth))
}
