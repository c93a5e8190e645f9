/** A session's row as it is shown: names opened, held against what its host has signed. */
import type { Account } from '../account/account.ts'
import type { SessionRow } from '../backend/gateway.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import { sessionScope } from '../protocol/scope.ts'
import { openedLabel, rowProblems } from './row-check.ts'
import type { SessionSummary } from './viewer.ts'

/** Learns who hosts these sessions: whoever signed their first key, whatever the rows say. */
export async function loadHosts(account: Account, rows: readonly SessionRow[]): Promise<void> {
	const scopes = rows.map(({ id }) => sessionScope(id))
	await account.keys.loadAll(scopes.filter((scope) => !account.keys.known(scope)))
}

/**
 * A row as it is shown. Names that do not open are left out, and `problem` says why. The host is
 * the device that signed the session's first key; where that is not known, the server's word, unnamed.
 */
export function summarise(
	account: Account,
	row: SessionRow,
	stale: boolean,
	problems = rowProblems(account, row),
): SessionSummary {
	const opened = openedLabel(account, row)
	const label = opened instanceof StyrbyError ? null : opened
	const host = account.keys.known(sessionScope(row.id))?.by ?? null
	return {
		id: row.id,
		agent: row.agent,
		status: row.status,
		project: row.project ?? label?.project ?? null,
		title: label?.title ?? null,
		cwd: label?.cwd ?? null,
		host: { id: host ?? row.host, name: host === null ? null : account.deviceName(host) },
		startedAt: row.started_at,
		lastActivityAt: row.last_activity_at,
		endedAt: row.ended_at,
		messages: row.last_seq,
		pending: row.pending,
		tokens: row.tokens,
		costUsd: row.cost_usd,
		stale,
		problem: problems[0]?.problem ?? null,
	}
}

/**
 * Without what may be over in a moment: keys that are still on their way, and a row that is a little older
 * than what has come over the live channel.
 */
export function lastingProblems(account: Account, row: SessionRow) {
	if (!account.keys.known(sessionScope(row.id))) return []
	return rowProblems(account, row).filter(({ code }) => code !== 'message_missing')
}

export function sessionsWithheld(count: number): StyrbyError {
	return refused(
		'session_withheld',
		`The server does not list ${count === 1 ? 'a session' : `${count} sessions`} that this device has read: it withholds or has lost what was there.`,
	)
}
