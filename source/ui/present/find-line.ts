import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { lineWidth, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import type { FindState, UiState } from '../state.ts'

/** What is looked for, how often it was found, and how far the looking is. */
export function findLine(find: FindState, width: number): StyledLine {
	const ways = find.hits.length === 0 ? safeText`` : safeText`  n next  N before`
	const keys: StyledLine = [span(safeText`${ways}  esc ends`, 'dim')]
	const facts: StyledLine = [span(safeText`  `), ...countSpans(find), ...progressSpans(find)]
	const room = width - lineWidth(facts)
	const what = truncateLine([span(safeText`  find “${oneLine(find.text)}”`, 'strong')], room)
	const line = [...what, ...facts]
	return lineWidth(line) + lineWidth(keys) <= width ? [...line, ...keys] : line
}

function countSpans({ hits, at, done }: FindState): StyledLine {
	if (hits.length === 0) return done ? [span(safeText`✗ not in this session`, 'warn')] : []
	const place = at ? hits.indexOf(at.seq) + 1 : 0
	const of = done ? safeText`${hits.length}` : safeText`${hits.length} so far`
	const unit = hits.length === 1 ? safeText`message` : safeText`messages`
	return [span(place > 0 ? safeText`${place}/${of}` : safeText`${of} ${unit}`, 'accent')]
}

function progressSpans({ done, looked, through, problem }: FindState): StyledLine {
	if (problem !== null) return [span(safeText`  ✗ ${problem}`, 'error')]
	if (done) return []
	return [span(safeText`  … ${percent(looked, through)} %`, 'dim')]
}

/** How far a jump is that looks beyond what is loaded. */
export function seekingLine(
	{ what, looked, through }: NonNullable<UiState['seeking']>,
	width: number,
): StyledLine {
	const text = safeText`  … looking for a ${what}: ${percent(looked, through)} %`
	return truncateLine([span(text, 'accent'), span(safeText`  any key stops`, 'dim')], width)
}

function percent(looked: number, through: number): number {
	return through <= 0 ? 0 : Math.min(99, Math.floor((100 * looked) / through))
}
