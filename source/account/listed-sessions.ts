import type { Gateway, SessionRow } from '../backend/gateway.ts'
import { assertCountable } from './sharing.ts'

/** Sessions of one answer. */
const listPage = 200

/**
 * All sessions, page by page, newest activity first; each once. A server that repeats itself is not followed.
 * Throws `backend_malformed` (exit 4) where it names more than there can be, and what the gateway does.
 */
export async function* listedSessions(
	gateway: Pick<Gateway, 'listSessions'>,
): AsyncGenerator<SessionRow[]> {
	const shown = new Set<string>()
	let place: { before?: string; beforeId?: string } = {}
	for (;;) {
		const page = await gateway.listSessions({ limit: listPage, ...place })
		const rows = page.filter(({ id }) => !shown.has(id))
		if (rows.length === 0) return
		for (const { id } of rows) shown.add(id)
		assertCountable(shown.size)
		yield rows
		const last = page.at(-1)
		if (!last || page.length < listPage) return
		place = { before: last.last_activity_at, beforeId: last.id }
	}
}
