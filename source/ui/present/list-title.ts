import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import type { Listing } from '../../viewer/viewer.ts'
import type { Arranged } from '../arranged-sessions.ts'

/** What is listed: everything, or what a filter leaves; and what is not. */
export function listTitle(
	{ filter, ids, hidden }: Arranged,
	{ more, loading }: Listing,
	active: boolean,
): StyledLine {
	const name = span(safeText`sessions`, active ? 'strong' : 'dim')
	if (filter.text === '') {
		return hidden === 0 ? [name] : [name, span(safeText` · ${hidden} archived`, 'dim')]
	}
	// Before the filter, which may be long: the end of a title is cut first.
	const count = more || loading ? safeText`${ids.length}+ …` : safeText`${ids.length}`
	return [
		name,
		span(safeText` · ${count} · `, 'dim'),
		filter.problem === null
			? span(safeText`filter ${oneLine(filter.text)}`, 'accent')
			: span(safeText`✗ filter ${oneLine(filter.text)}`, 'error'),
	]
}
