/** What a search has found, and what can be searched for. */
import { fields } from '../../search/query-fields.ts'
import { kindText } from '../../text/kind-words.ts'
import { oneLine } from '../../text/one-line.ts'
import { displayText, joinText, revealText, safeText, splitLines } from '../../text/safe-text.ts'
import {
	emptyLine,
	padLine,
	type Span,
	type StyledLine,
	span,
	truncateLine,
} from '../../text/styled.ts'
import { relativeTime } from '../../text/time.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { SearchHit, SearchState } from '../../viewer/viewer.ts'
import { keepRight } from './sides.ts'

/** Of a session that has hits: its name, its title, its agent. */
export function hitSession(hit: SearchHit, width: number): StyledLine {
	const { project, title, session, agent } = hit
	const name = oneLine(project ?? title ?? session.slice(0, 8))
	const more = project !== null && title !== null ? safeText`  ${oneLine(title)}` : safeText``
	const left = [span(name, 'strong'), span(more, 'dim')]
	return keepRight(left, [span(oneLine(agent), 'dim')], width)
}

/** Columns of the kind, and from which width on there is room for it. */
const kindColumns = 10
const widthForKind = 50

/** One hit: when, what, and the words around the match. */
export function hitLine(hit: SearchHit, width: number, now: number): StyledLine {
	const age = relativeTime(hit.at, now)
	const head = [
		...padLine([span(safeText`  ${age}`, 'dim')], 7),
		...(width < widthForKind ? [] : padLine([span(kindText(hit.kind), 'dim')], kindColumns)),
	]
	const room = width - 7 - (width < widthForKind ? 0 : kindColumns)
	return truncateLine([...head, ...around(hit, room)], width)
}

/** The snippet from where its first match is in view. */
function around({ snippet, matches }: SearchHit, room: number): StyledLine {
	const first = matches[0]?.[0] ?? 0
	const lead = Math.max(0, Math.min(40, Math.floor(room / 3)))
	if (first <= lead) return pieces(snippet, matches, 0)
	const space = snippet.slice(first - lead, first).search(/\s\S/)
	const from = first - lead + (space < 0 ? 0 : space + 1)
	return [span(safeText`… `, 'dim'), ...pieces(snippet, matches, from)]
}

/** Text with its matches marked, in one line. */
function pieces(text: string, matches: SearchHit['matches'], start: number): Span[] {
	// There are more line ends than white space has.
	const flat = (from: number, to?: number) =>
		joinText(splitLines(displayText(text.slice(from, to).replace(/\s+/g, ' '))), safeText` `)
	const spans: Span[] = []
	let at = start
	for (const [from, to] of matches) {
		if (from < at || to > text.length) continue
		if (from > at) spans.push(span(flat(at, from)))
		spans.push(span(flat(from, to), 'match'))
		at = to
	}
	if (at < text.length) spans.push(span(flat(at)))
	return spans
}

/** All of the words around a match. */
export function hitCard(hit: SearchHit, width: number): StyledLine[] {
	const indent = [span(safeText`  `)]
	return wrapLine(pieces(hit.snippet, hit.matches, 0), width - 1, { first: indent, rest: indent })
}

/** `api-server · #1841 · response` */
export function hitTitle(hit: SearchHit, now: number): StyledLine {
	const name = oneLine(hit.project ?? hit.title ?? hit.session.slice(0, 8))
	const place = safeText` · message ${hit.seq} · ${kindText(hit.kind)} · ${relativeTime(hit.at, now)}`
	return [span(name, 'strong'), span(place, 'dim')]
}

/** How many there are, and among what; the state of the index where it is not done. */
export function searchTitle(state: SearchState): StyledLine {
	const { query, problem, total, searching, index } = state
	const blank = query.trim() === '' || problem !== null
	const found = blank
		? safeText``
		: searching && total === 0
			? safeText`  …`
			: safeText`  ${total} found${searching ? safeText` …` : safeText``}`
	const among = safeText` in ${index.messages} ${index.messages === 1 ? safeText`message` : safeText`messages`}`
	return [span(safeText`search`, 'strong'), span(found, 'accent'), span(among, 'dim')]
}

/** What keeps something from being found, and how far the reading of history is. */
export function indexLines({ index }: SearchState, width: number): StyledLine[] {
	const { problem, upToDate, sessions, sessionsDone } = index
	const lines: StyledLine[] = []
	if (problem !== null) lines.push([span(safeText` ✗ ${oneLine(problem)}`, 'warn')])
	if (!upToDate) {
		const far =
			sessions === 0 ? safeText`` : safeText`: ${sessionsDone} of ${sessions} sessions so far`
		lines.push([span(safeText` … reading history, the newest first${far}`, 'dim')])
	}
	return lines.map((line) => truncateLine(line, width))
}

const examples: readonly (readonly [string, string])[] = [
	['rate limit', 'both words, also within longer ones'],
	['"rate limit"', 'the words together'],
	['-test', 'without the word; -agent:codex turns a field round'],
]
const exampleColumns = 20

/** What can be typed. */
export function searchHelp(width: number): StyledLine[] {
	const rows = [...examples, ...fields.map(({ example, summary }) => [example, summary] as const)]
	const names = Math.min(exampleColumns, Math.floor(width / 2))
	return [
		[span(safeText`  What can be typed`, 'strong')],
		...rows.flatMap(([example, meaning]) =>
			wrapLine([span(revealText(meaning))], width - 1, {
				first: padLine([span(safeText`  ${revealText(example)}`, 'accent')], names),
				rest: padLine([], names),
			}),
		),
		emptyLine,
	]
}
