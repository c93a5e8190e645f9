/** How much of an item is shown: folded to a line or two, some lines, or all of it. */
import { moreLines } from '../../text/caps.ts'
import { fold } from '../../text/plain.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'

export type Fold = 'folded' | 'some' | 'all'

/** What one more press makes of it. */
export const nextFold: Readonly<Record<Fold, Fold>> = {
	folded: 'some',
	some: 'all',
	all: 'folded',
}

/** Lines of an output, a diff or a text that are shown of it when it is unfolded once. */
export const someLines = 20

/** Lines that are laid out at most, of what was unfolded all the way. */
export const mostLines = 50_000

/** How many lines of something are shown, by how far it is unfolded. */
export function linesShown(open: Exclude<Fold, 'folded'>): number {
	return open === 'some' ? someLines : mostLines
}

/** Stands in the place of what is left out, and says how it is to be seen. */
export function leftOut(open: Exclude<Fold, 'folded'>): (hidden: number) => SafeText {
	const how = open === 'some' ? safeText`unfold again for all` : safeText`all are in an export`
	return (hidden) => safeText`${moreLines(hidden)}, ${how}`
}

/** Lines laid out, of which as many are kept as are shown. */
export function unfoldedLines(
	lines: readonly StyledLine[],
	open: Exclude<Fold, 'folded'>,
): StyledLine[] {
	const { head, hidden, tail } = fold(lines, linesShown(open))
	if (hidden === 0) return [...head]
	return [...head, [span(leftOut(open)(hidden), 'dim')], ...tail]
}
