/** What the list of sessions is narrowed to: the query language of the search, over sessions. */
import { fold } from '../search/fold.ts'
import { parseQuery, type Query } from '../search/query.ts'
import { sessionFits } from '../search/session-filter.ts'
import { displayText, type SafeText, safeText } from '../text/safe-text.ts'
import type { SessionSummary } from '../viewer/viewer.ts'
import { editText } from './line-edit.ts'
import { type Screen, topScreen, type UiState } from './state.ts'

export interface SessionFilter {
	/** As it was typed, without the spaces around it; empty: none. */
	text: string
	/** What is wrong with it: all sessions are listed then. */
	problem: SafeText | null
	/** Archived sessions are listed too, where they fit. */
	showsArchived: boolean
	fits(session: SessionSummary, archived: boolean): boolean
}

/** The filter that is being typed, or else the one in force. */
export function filterText(ui: Pick<UiState, 'screens' | 'filter'>): string {
	const typed = ui.screens.findLast(isFilter)
	return (typed ? editText(typed.edit) : ui.filter).trim()
}

const isFilter = (screen: Screen) => screen.name === 'filter'

const none: SessionFilter = {
	text: '',
	problem: null,
	showsArchived: false,
	fits: (_, archived) => !archived,
}

/** The filter on the screen, at this time (ms since the epoch). */
export function filterOf(ui: UiState, now: number): SessionFilter {
	const typing = topScreen(ui).name === 'filter'
	return readFilter(filterText(ui), { now, typing })
}

/** `typing`: what is not finished at its end is taken as far as it goes. */
export function readFilter(
	text: string,
	{ now, typing }: { now: number; typing: boolean },
): SessionFilter {
	if (text === '') return none
	const { query, problem } = parseQuery(text, new Date(now), { typing })
	if (!query) return { ...none, text, problem: displayText(problem.message) }
	if (query.conditions.some(({ field }) => field === 'kind')) {
		const why = safeText`kind: is of messages, not of sessions: search for it instead.`
		return { ...none, text, problem: why }
	}
	const showsArchived = query.conditions.some(
		({ field, values, not }) => field === 'is' && values.includes('archived') && !not,
	)
	return {
		text,
		problem: null,
		showsArchived,
		fits: (session, archived) => (showsArchived || !archived) && holds(query, session, archived),
	}
}

function holds(query: Query, session: SessionSummary, archived: boolean): boolean {
	const { terms, from, to } = query
	if (from !== null && Date.parse(session.lastActivityAt) < from) return false
	if (to !== null && Date.parse(session.startedAt) >= to) return false
	if (query.conditions.length > 0 && !sessionFits({ ...session, archived }, query)) return false
	return terms.every(({ text, not }) => wordsOf(session).includes(text) !== not)
}

/** All that a word may occur in, folded. Kept by the session, which is never changed in place. */
function wordsOf(session: SessionSummary): string {
	const known = words.get(session)
	if (known !== undefined) return known
	const { project, title, agent, host, cwd, id } = session
	// A word can't begin in one of them and end in the next.
	const text = [project, title, agent, host.name, cwd, id].map((one) => fold(one ?? '')).join('\n')
	words.set(session, text)
	return text
}

const words = new WeakMap<SessionSummary, string>()
