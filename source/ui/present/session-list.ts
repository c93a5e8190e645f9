/** The list of sessions, of which only the lines on the screen are made. */
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span, truncateLine } from '../../text/styled.ts'
import type { SessionSummary } from '../../viewer/viewer.ts'
import type { Arranged, SessionsOfGroup } from '../arranged-sessions.ts'
import { nameWidth, sessionRow } from './session-row.ts'
import type { SessionGroup } from './session-state.ts'

const groupNames: Readonly<Record<SessionGroup, SafeText>> = {
	waiting: safeText`waiting for you`,
	live: safeText`live`,
	earlier: safeText`earlier`,
}

/** The names of projects stand in a column of at most so many. */
const nameColumns = 24
/** Below this width a title has a line of its own, where the list is at least so high. */
const oneLineWidth = 76
const twoLineHeight = 16

/** A row of a list: a heading, or an entry that can be highlighted. */
export interface ListRow {
	id: string | null
	line: StyledLine
}

/** The rows of a list, by their number; an entry may take several. */
export interface LazyRows {
	total: number
	/** Rows that each entry takes. */
	lines: number
	/** The first row of an entry; `null` where it is not listed. */
	rowOf(id: string): number | null
	/** Rows `from` to `to`, the latter left out. */
	slice(from: number, to: number): ListRow[]
}

export interface SessionRowsOptions {
	width: number
	height: number
	now: number
	/** There are older ones, which were not read yet. */
	more: boolean
}

export function sessionRows(
	{ groups, ids, filter }: Arranged,
	{ width, height, now, more }: SessionRowsOptions,
): LazyRows {
	const lines = width < oneLineWidth && height >= twoLineHeight ? 2 : 1
	const options = { width, now, lines, names: namesColumn(groups) }
	const starts = startsOf(groups, lines)
	const total = groups.reduce((sum, { members }) => sum + 1 + members.length * lines, 0)
	const heading = ({ group, members }: SessionsOfGroup) => {
		const count = more && group === 'earlier' ? safeText`${members.length}+` : members.length
		const always =
			filter.text !== '' && group === 'waiting' ? safeText` · always listed` : safeText``
		return truncateLine([span(safeText`${groupNames[group]} ${count}${always}`, 'dim')], width)
	}
	return {
		total,
		lines,
		rowOf(id) {
			let at = ids.indexOf(id)
			if (at < 0) return null
			for (const [index, { members }] of groups.entries()) {
				if (at < members.length) return (starts[index] ?? 0) + 1 + at * lines
				at -= members.length
			}
			return null
		},
		slice(from, to) {
			const rows: ListRow[] = []
			for (const [index, of] of groups.entries()) {
				const start = starts[index] ?? 0
				if (from <= start && start < to) rows.push({ id: null, line: heading(of) })
				const first = Math.max(0, Math.floor((from - start - 1) / lines))
				const end = Math.ceil((to - start - 1) / lines)
				for (const [offset, session] of of.members.slice(first, Math.max(0, end)).entries()) {
					const top = start + 1 + (first + offset) * lines
					rows.push(...shownOf(session, top))
				}
			}
			return rows

			function shownOf(session: SessionSummary, top: number): ListRow[] {
				return sessionRow(session, options)
					.map((line) => ({ id: session.id, line }))
					.filter((_, line) => top + line >= from && top + line < to)
			}
		},
	}
}

function startsOf(groups: readonly SessionsOfGroup[], lines: number): number[] {
	let next = 0
	return groups.map(({ members }) => {
		const start = next
		next += 1 + members.length * lines
		return start
	})
}

/** As wide as the longest name, within bounds. */
function namesColumn(groups: readonly SessionsOfGroup[]): number {
	const known = columns.get(groups)
	if (known !== undefined) return known
	let widest = 0
	for (const { members } of groups) {
		for (const session of members) {
			if (widest < nameColumns) widest = Math.max(widest, nameWidth(session))
		}
	}
	columns.set(groups, Math.min(nameColumns, widest))
	return Math.min(nameColumns, widest)
}

/** By the groups of one arrangement, which are never changed in place. */
const columns = new WeakMap<readonly SessionsOfGroup[], number>()
