/** Marks what is looked for in the lines of a transcript that are on the screen. */
import { markLine, matchesIn, type Wanted, wantedOf } from '../../text/match.ts'
import type { StyledLine } from '../../text/styled.ts'
import { editText } from '../line-edit.ts'
import { topScreen, transcriptOf, type UiState } from '../state.ts'

/** What is marked: what is being typed to be found, else what was. */
export function markedIn(ui: UiState, session: string): Wanted | null {
	const top = topScreen(ui)
	const typed = top.name === 'find' && top.session === session ? wantedOf(editText(top.edit)) : null
	return typed ?? transcriptOf(ui, session).find?.wanted ?? null
}

const cache = new WeakMap<readonly StyledLine[], { wanted: Wanted; ranges: Ranges }>()
type Ranges = ReturnType<typeof matchesIn>

/** Lines of one item with its matches marked; `here`: the line that was gone to, or -1. */
export function markedLines(
	lines: readonly StyledLine[],
	wanted: Wanted,
	here: number,
): readonly StyledLine[] {
	const known = cache.get(lines)
	const ranges = known && same(known.wanted, wanted) ? known.ranges : matchesIn(lines, wanted)
	cache.set(lines, { wanted, ranges })
	return lines.map((line, index) =>
		markLine(line, ranges[index] ?? [], index === here ? 'matchHere' : 'match'),
	)
}

function same(a: Wanted, b: Wanted): boolean {
	return a === b || a.words.join('\n') === b.words.join('\n')
}
