/** Checks all that the backend holds of an account: the device log, the keys it shows, every session. */
import type { Account } from '../account/account.ts'
import { readWhole } from '../account/history.ts'
import { listedSessions } from '../account/listed-sessions.ts'
import type { MessageRow, SessionRow } from '../backend/gateway.ts'
import { headOf, type LogState } from '../protocol/device-log.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { LogHead } from '../protocol/json.ts'
import { SessionTotals, wrongRow } from './row-check.ts'
import { SessionReader } from './session-reader.ts'

export interface HistoryProblem {
	/** `null`: not of one session. */
	session: string | null
	/** Number of the first message it is about; `null`: of the session's entry in the list. */
	seq: number | null
	/** How many messages in a row have it. */
	rows: number
	code: string
	problem: string
}

export interface LogCheck {
	entries: number
	head: LogHead | null
	verified: boolean
	problem: string | null
}

/** A key that the backend shows and the verified log does not have: nothing is ever encrypted to it. */
export interface Intruder {
	id: string
	public_key: string
}

export interface SessionsCheck {
	sessions: number
	messages: number
	rows: number
	problems: HistoryProblem[]
}

/** Replays the log from its first entry, and holds it against the one that is pinned here. */
export async function checkDeviceLog(account: Account): Promise<LogCheck> {
	try {
		const { state } = await readWhole(account)
		const pinned = account.log.state
		const same = pinned.hashes.every((hash, seq) => state.hashes[seq] === hash)
		return {
			entries: state.hashes.length,
			head: headOf(state),
			verified: same,
			problem: same ? null : 'it is not the log that this device has seen before',
		}
	} catch (error) {
		if (!(error instanceof StyrbyError) || error.exitCode !== 4) throw error
		const { hashes } = account.log.state
		return { entries: hashes.length, head: null, verified: false, problem: error.message }
	}
}

/** Keys that the backend shows as devices of this account, and that the verified log does not have. */
export async function findIntruders(account: Account): Promise<Intruder[]> {
	const shown = await account.gateway.machineKeys()
	// A device that was added a moment ago is no intruder.
	const known = (id: string, state: LogState) => state.devices.get(id)
	if (shown.some(({ device }) => !known(device, account.log.state))) await account.log.refresh()
	return shown
		.filter(({ device, box, sign }) => {
			const record = known(device, account.log.state)?.record
			return record?.box !== box || record.sign !== sign
		})
		.map(({ device, box }) => ({ id: device, public_key: box }))
}

/**
 * Reads and checks every message of every session. `progress` is told after each session. Throws
 * `backend_malformed` (exit 4) where the server names more than there can be.
 */
export async function checkSessions(
	account: Account,
	progress: (done: SessionsCheck) => void = () => undefined,
): Promise<SessionsCheck> {
	const done: SessionsCheck = { sessions: 0, messages: 0, rows: 0, problems: [] }
	const lacking = new Set(account.seen.all().keys())
	for await (const rows of listedSessions(account.gateway)) {
		await account.keys.loadAll(rows.map(({ id }) => `session:${id}` as const))
		for (const row of rows) {
			lacking.delete(row.id)
			await checkSession(account, row, done)
			done.sessions++
			progress(done)
		}
	}
	for (const session of lacking) {
		const problem = 'the server does not show this session any more: it withholds or has lost it'
		done.problems.push({ session, seq: null, rows: 1, code: 'session_withheld', problem })
	}
	return done
}

async function checkSession(account: Account, row: SessionRow, done: SessionsCheck): Promise<void> {
	const { problems } = done
	const note = (seq: number | null, code: string, problem: string, rows = 1) => {
		const last = problems.at(-1)
		const end = last?.session === row.id && last.seq !== null ? last.seq + last.rows : null
		const goesOn = seq !== null && seq === end && last?.code === code && last.problem === problem
		if (goesOn) last.rows += rows
		else problems.push({ session: row.id, seq, rows, code, problem })
	}
	const nonces = new Set<string>()
	const repeated = (rows: readonly MessageRow[]) => {
		for (const { seq, nonce } of rows) {
			if (nonces.has(nonce)) note(seq, 'nonce_repeated', 'sealed with a nonce that was used before')
			nonces.add(nonce)
		}
	}
	const reader = new SessionReader(account, row.id, repeated)
	const totals = new SessionTotals()
	let sound = true
	let last = 0
	for await (const message of reader.all(0, reader.through(row))) {
		done.messages++
		done.rows += message.rows
		last = message.seq + message.rows - 1
		if (message.problem !== null) {
			sound = false
			note(message.seq, message.code ?? 'not_verified', message.problem, message.rows)
		} else totals.add(message)
	}
	await reader.keys()
	for (const { code, problem } of await wrongRow(account, row, { totals, last, sound })) {
		note(null, code, problem)
	}
}
