/** Ids on the command line: whole, or as much of the beginning as is needed to tell them apart. */
import type { Account } from '../account/account.ts'
import { listedSessions } from '../account/listed-sessions.ts'
import type { Gateway } from '../backend/gateway.ts'
import { exit, refused, StyrbyError } from '../protocol/errors.ts'

const shortest = 4
const searched = 1000

function choose(kind: 'session' | 'request', prefix: string, ids: readonly string[]): string {
	const found = ids.filter((id) => id.startsWith(prefix))
	const [only] = found
	if (only !== undefined && found.length === 1) return only
	if (found.length > 1) {
		throw new StyrbyError(
			`ambiguous_${kind}`,
			`${found.length} ${kind}s begin with ${prefix}: give more of the id.`,
			{ exitCode: exit.usage },
		)
	}
	throw new StyrbyError(`no_such_${kind}`, `There is no ${kind} ${prefix} in this account.`)
}

const whole = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function normalise(kind: 'session' | 'request', text: string): string {
	const id = text.toLowerCase()
	if (whole.test(id)) return id
	if (!/^[0-9a-f-]+$/.test(id) || id.length < shortest) {
		throw new StyrbyError(
			`no_such_${kind}`,
			`A ${kind} is named by its id, or by at least ${shortest} characters of its beginning.`,
			{ exitCode: exit.usage },
		)
	}
	return id
}

/**
 * The id of a session. Throws `no_such_session`, `ambiguous_session`, and `session_withheld` (exit 4) for
 * one that this device has seen and the server does not show any more.
 */
export async function findSession(
	{ gateway, seen }: Pick<Account, 'gateway' | 'seen'>,
	text: string,
): Promise<string> {
	const id = normalise('session', text)
	if (whole.test(id)) {
		if (await gateway.readSession(id)) return id
		if (seen.last(id) > 0) throw sessionWithheld()
		return choose('session', id, [])
	}
	const ids: string[] = []
	for await (const rows of listedSessions(gateway)) {
		ids.push(...rows.map((row) => row.id))
		if (ids.length >= searched) break
	}
	const gone = !ids.some((one) => one.startsWith(id))
	if (gone && [...seen.all().keys()].some((one) => one.startsWith(id))) throw sessionWithheld()
	return choose('session', id, ids)
}

/** A session that was there, and is not shown any more. */
export function sessionWithheld(): StyrbyError {
	return refused(
		'session_withheld',
		'The server does not show this session any more, which this device has seen: it withholds or has lost it.',
	)
}

/** The id of a permission request. Throws `no_such_request`, `ambiguous_request`. */
export async function findRequest(gateway: Gateway, text: string): Promise<string> {
	const id = normalise('request', text)
	if (whole.test(id)) {
		if (await gateway.readRequest(id)) return id
		return choose('request', id, [])
	}
	const rows = await gateway.listRequests({ status: 'all', limit: searched })
	const pending = await gateway.listRequests({ status: 'pending', limit: searched })
	return choose('request', id, [...new Set([...pending, ...rows].map((row) => row.id))])
}
