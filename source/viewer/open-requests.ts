/** Requests that a session's own messages say are open, whatever the server lists. */
import type { Account } from '../account/account.ts'
import type { Body } from '../protocol/events.ts'
import { assemble, type CheckedMessage } from './checked-message.ts'
import { SessionReader } from './session-reader.ts'

/** Messages looked through at the end of a session. */
const reach = 200

export interface OpenedRequest {
	message: CheckedMessage
	body: Body<'permission_request'>
}

/** The messages near the end of a session. Hosts say again within so many what is allowed for it. */
export async function endOf(
	account: Account,
	row: { id: string; last_seq: number },
): Promise<readonly CheckedMessage[]> {
	const reader = new SessionReader(account, row.id)
	await reader.keys()
	const { rows } = await reader.before(reader.through(row) + 1, reach)
	return assemble(row.id, rows).messages
}

/** The verified requests among messages that have no answer there, and time left at `now`. */
export function openRequestsOf(messages: readonly CheckedMessage[], now: Date): OpenedRequest[] {
	const open = new Map<string, OpenedRequest>()
	for (const message of messages) {
		if (message.kind === 'permission_request') {
			// `kind` and `body` were checked together when the message was opened.
			const body = message.body as Body<'permission_request'>
			open.set(body.request, { message, body })
		} else if (message.kind === 'permission_response') {
			open.delete((message.body as Body<'permission_response'>).request)
		}
	}
	return [...open.values()].filter(({ body }) => Date.parse(body.expires_at) > now.getTime())
}
