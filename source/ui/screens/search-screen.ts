import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { SearchHit } from '../../viewer/viewer.ts'
import { emptyScreen, type Model, type Pane, type ScreenFrame } from '../frame.ts'
import {
	hitCard,
	hitLine,
	hitSession,
	hitTitle,
	indexLines,
	searchHelp,
	searchTitle,
} from '../present/search-lines.ts'
import type { LazyRows, ListRow } from '../present/session-list.ts'
import type { Size } from '../state.ts'
import { listAndCard } from './list-and-card.ts'
import { lazyRowsPane, listMargin, listPane } from './list-pane.ts'
import { scrollPane } from './scroll-pane.ts'

const before = 'query:'

export function hitId({ session, seq }: SearchHit): string {
	return `${session}:${seq}`
}

/** The query that an entry stands for; `null`: it is something that was found. */
export function queryOfId(id: string): string | null {
	return id.startsWith(before) ? id.slice(before.length) : null
}

/** Content rows from which on the highlighted hit is shown in full below. */
const cardRows = 14
/** Characters of a snippet at most. */
const snippetLength = 300

/** As much below as the words around a match need, the same for each, so that the list keeps its place. */
function heightsOf({ columns, rows }: Size): { list: number; card: number } {
	if (rows < cardRows) return { list: rows - 1, card: 0 }
	const content = rows - 2
	const wanted = Math.ceil(snippetLength / Math.max(1, columns - 4)) + 1
	const card = Math.max(2, Math.min(wanted, Math.floor(content * 0.4)))
	return { list: content - card, card }
}

/** What was found, by session; the highlighted one in full below. */
export function searchScreen(model: Model, size: Size): ScreenFrame {
	const { data, ui, now } = model
	const state = data.search
	const notes = indexLines(state, size.columns).slice(0, size.rows < 8 ? 1 : 2)
	const title = searchTitle(state)
	if (state.query.trim() === '' || ui.searchHelp) return helpScreen(model, notes, size)
	const rows = { columns: size.columns, rows: size.rows - notes.length }
	const { hits } = state
	if (hits.length === 0 || state.problem !== null) return nothing(model, notes, size)
	const hit = hits.find((one) => hitId(one) === ui.selectedHit) ?? hits[0]
	const lazy = hitRows(hits, rows.columns - listMargin, now)
	const heights = heightsOf(rows)
	const selected = hit ? hitId(hit) : null
	const options = { title, width: rows.columns, height: heights.list, active: true }
	const { pane } = lazyRowsPane(lazy, selected, options)
	const list = { ids: idsOf(hits), selected, height: heights.list }
	const frame = listAndCard(
		{ pane, list },
		{
			id: `hit:${selected}`,
			title: hit ? hitTitle(hit, now) : [],
			lines: hit ? hitCard(hit, rows.columns) : [],
			top: ui.cardTops.get(`hit:${selected}`) ?? 0,
			height: heights.card,
		},
	)
	// Pages are turned in the list: what is below is seldom longer than its pane.
	return { ...frame, panes: withNotes(frame.panes, notes), card: null }
}

/** What is said of the index stands at the foot of the last pane. */
function withNotes(panes: readonly Pane[], notes: readonly StyledLine[]): readonly Pane[] {
	const last = panes.at(-1)
	if (!last || notes.length === 0) return panes
	const missing = Math.max(0, last.height - last.rows.length)
	const empty = Array.from({ length: missing }, () => ({ line: emptyLine }))
	const rows = [...last.rows, ...empty, ...notes.map((line) => ({ line }))]
	return [...panes.slice(0, -1), { ...last, rows, height: last.height + notes.length }]
}

function nothing({ data }: Model, notes: readonly StyledLine[], size: Size): ScreenFrame {
	const { problem, searching, query, index } = data.search
	const text =
		problem !== null
			? safeText``
			: searching
				? safeText`… searching`
				: index.upToDate
					? safeText`Nothing fits “${oneLine(query.trim())}”.`
					: safeText`Nothing fits yet: history is still being read.`
	const lines = wrapLine([span(text, 'dim')], size.columns - 2)
	return onePane(data.search, [...lines, ...(problem === null ? [] : searchHelp(size.columns))], {
		notes,
		size,
	})
}

function onePane(
	state: Model['data']['search'],
	lines: readonly StyledLine[],
	{ notes, size }: { notes: readonly StyledLine[]; size: Size },
): ScreenFrame {
	const height = Math.max(1, size.rows - 1 - notes.length)
	const { rows } = scrollPane(
		lines.map((line) => [span(safeText` `), ...line]),
		0,
		{ height },
	)
	const pane: Pane = { title: searchTitle(state), rows, width: size.columns, height, active: true }
	return { ...emptyScreen, panes: withNotes([pane], notes) }
}

/** What was searched for before, and what can be typed. */
function helpScreen({ data, ui }: Model, notes: readonly StyledLine[], size: Size): ScreenFrame {
	const help = searchHelp(size.columns)
	const { queries } = ui
	if (queries.length === 0 || ui.searchHelp) return onePane(data.search, help, { notes, size })
	const heading: ListRow = { id: null, line: [span(safeText`searched for before`, 'strong')] }
	const rows: ListRow[] = [
		heading,
		...queries.map((query) => ({ id: before + query, line: [span(safeText` ${oneLine(query)}`)] })),
		{ id: null, line: emptyLine },
		...help.map((line) => ({ id: null, line })),
	]
	const chosen = ui.selectedHit === null ? null : queryOfId(ui.selectedHit)
	const selected = before + (chosen !== null && queries.includes(chosen) ? chosen : queries[0])
	const height = Math.max(1, size.rows - 1 - notes.length)
	const options = { title: searchTitle(data.search), width: size.columns, height, active: true }
	const { pane, list } = listPane(rows, selected, options)
	return { ...emptyScreen, panes: withNotes([pane], notes), list }
}

interface Group {
	/** Its first row: the heading. */
	from: number
	hits: readonly SearchHit[]
}

const groupsKept = new WeakMap<readonly SearchHit[], readonly Group[]>()
const idsKept = new WeakMap<readonly SearchHit[], readonly string[]>()

/** Sessions in the order of their best hits. Made once for the same hits. */
function groupsOf(hits: readonly SearchHit[]): readonly Group[] {
	const known = groupsKept.get(hits)
	if (known) return known
	let from = 0
	const groups = [...Map.groupBy(hits, ({ session }) => session).values()].map((own) => {
		const group = { from, hits: own }
		from += own.length + 1
		return group
	})
	groupsKept.set(hits, groups)
	return groups
}

/** Hits as they stand on the screen. */
function idsOf(hits: readonly SearchHit[]): readonly string[] {
	const known = idsKept.get(hits) ?? groupsOf(hits).flatMap((group) => group.hits.map(hitId))
	idsKept.set(hits, known)
	return known
}

function hitRows(hits: readonly SearchHit[], width: number, now: number): LazyRows {
	const groups = groupsOf(hits)
	const rowAt = (row: number): ListRow => {
		const group = groups.findLast(({ from }) => from <= row)
		const hit = group?.hits[row - group.from - 1]
		if (hit) return { id: hitId(hit), line: hitLine(hit, width, now) }
		const first = group?.hits[0]
		return { id: null, line: first ? hitSession(first, width) : emptyLine }
	}
	const total = hits.length + groups.length
	return {
		total,
		lines: 1,
		rowOf(id) {
			for (const { from, hits: own } of groups) {
				const at = own.findIndex((hit) => hitId(hit) === id)
				if (at >= 0) return from + 1 + at
			}
			return null
		},
		slice: (from, to) =>
			Array.from({ length: Math.max(0, Math.min(to, total) - from) }, (_, index) =>
				rowAt(from + index),
			),
	}
}
