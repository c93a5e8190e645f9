/** Revoking a device: what it will do, doing it, and the proof (docs/protocol.md, sections 2 and 4). */
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionRow } from '../backend/gateway.ts'
import type { DeviceState, LogState } from '../protocol/device-log.ts'
import { activeDevices } from '../protocol/device-log.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { sessionScope } from '../protocol/scope.ts'
import type { Account } from './account.ts'
import { noSuchDevice } from './adding.ts'
import type { ScopeKeys } from './key-ring.ts'

export interface LiveSession {
	session: string
	/** Who signed its first key; `null` where that does not verify. */
	host: string | null
	/** The device that is revoked hosts it: nobody else can give it a new key. */
	own: boolean
}

export interface RevocationPlan {
	device: string
	/** It is this device itself. */
	self: boolean
	/** The only one that is left, which can't be revoked. */
	last: boolean
	/** Sessions that go on, and so need a new key. */
	live: LiveSession[]
	/** Sessions of which it was given a key: what it may have read. The server's word. */
	readable: number
}

/** Sessions that are looked through for those that go on; where there are more it is never complete. */
const maxLive = 500
const liveStatuses = ['starting', 'running', 'idle']

/** What a revocation would do. Throws `no_such_device`. */
export async function planRevocation(account: Account, device: string): Promise<RevocationPlan> {
	activeDevice(account.log.state, device)
	const [live, counts] = await Promise.all([liveSessions(account), account.gateway.countAccess()])
	return {
		device,
		self: device === account.device.record.id,
		last: activeDevices(account.log.state).length === 1,
		live: live.map(({ session, keys }) => ({ session, host: keys.by, own: keys.by === device })),
		readable: counts.find((count) => count.device === device)?.sessions ?? 0,
	}
}

function activeDevice(log: LogState, device: string): DeviceState {
	const known = log.devices.get(device)
	if (!known || known.revoked) throw noSuchDevice()
	return known
}

async function liveSessions(account: Account): Promise<{ session: string; keys: ScopeKeys }[]> {
	const rows: SessionRow[] = await account.gateway.listSessions({
		limit: maxLive,
		status: liveStatuses,
	})
	const keys = await account.keys.loadAll(rows.map(({ id }) => sessionScope(id)))
	return rows.flatMap(({ id }, index) => {
		const known = keys[index]
		return known ? [{ session: id, keys: known }] : []
	})
}

export interface RekeyedSession extends LiveSession {
	/** The newest epoch, and whether its maker knew of the revocation. */
	epoch: number
	rekeyed: boolean
}

export interface RevocationReport {
	device: string
	/** The log entry that stands, by whom and when: another device may have been faster. */
	entry: number
	by: string
	at: string
	reason: string | null
	/** This device's entry is the one that stands. */
	own: boolean
	/** The newest epoch of the account key, which the revoked device was not given. */
	accountEpoch: number
	sessions: RekeyedSession[]
	/** Grants of a newest key for the revoked device: none, or something is wrong. */
	grantsAfter: number
	/** All that goes on has a new key that the device was not given. */
	complete: boolean
}

export interface RevocationOptions {
	/** At most 200 UTF-16 units; everybody who can read the log can read it, the server too. */
	reason?: string | null
	/** ms that hosts have to follow; default 10 s. */
	waitMs?: number
	onProgress?: (progress: { rekeyed: number; total: number }) => void
	signal?: AbortSignal
}

const lookEvery = 250
/** Scopes of one question to the backend. */
const pageSize = 200

/**
 * Revokes a device, makes a new account key, and waits until every session that goes on has a new key as
 * well, which each makes by itself as soon as its host learns of it. Repeating it shows how far that is.
 * Throws `no_such_device`, `last_device`, `device_revoked` (exit 3) when this device was revoked first.
 */
export async function revokeDevice(
	account: Account,
	device: string,
	options: RevocationOptions = {},
): Promise<RevocationReport> {
	const reason = options.reason ?? null
	account.log.assertTrusted(device)
	const { state } = await account.log.append(account.device, (log) => {
		const known = log.devices.get(device)
		if (!known) throw noSuchDevice()
		if (known.revoked) return null
		if (activeDevices(log).length === 1) throw lastDevice()
		return { type: 'revoke', at: account.now().toISOString(), device, reason }
	})
	const revoked = state.devices.get(device)?.revoked
	if (!revoked) throw noSuchDevice()
	const self = device === account.device.record.id
	// Who revokes itself can make no key any more: the next device does.
	const accountEpoch = self
		? (account.keys.known(account.scope)?.newest ?? 0)
		: await account.rotateKey()
	const sessions = self ? [] : await rekeyed(account, device, revoked.seq, options)
	const grantsAfter = self ? 0 : await grantsOfNewest(account, device, accountEpoch, sessions)
	const waiting = sessions.some((session) => !session.rekeyed && !session.own)
	return {
		device,
		entry: revoked.seq,
		by: revoked.by,
		at: revoked.at,
		reason: revoked.reason,
		own: revoked.by === account.device.record.id,
		accountEpoch,
		sessions,
		grantsAfter,
		complete: !self && !waiting && grantsAfter === 0 && sessions.length < maxLive,
	}
}

function lastDevice(): StyrbyError {
	return new StyrbyError(
		'last_device',
		'This is the last active device: without it nobody could read anything any more. Add another one, or a recovery key, first.',
		{ exitCode: exit.failed },
	)
}

/** A maker that names a log behind the revocation knew of it, and gave its key to active devices only. */
async function rekeyed(
	account: Account,
	device: string,
	entry: number,
	options: RevocationOptions,
): Promise<RekeyedSession[]> {
	const until = performance.now() + (options.waitMs ?? 10_000)
	for (;;) {
		options.signal?.throwIfAborted()
		const live = await liveSessions(account)
		const sessions = live.map(({ session, keys }) => {
			const newest = keys.records.get(keys.newest)
			const { by: host } = keys
			const followed = newest !== undefined && newest.log.seq >= entry
			return { session, host, own: host === device, epoch: keys.newest, rekeyed: followed }
		})
		const ours = sessions.filter(({ own }) => !own)
		const done = ours.filter((session) => session.rekeyed).length
		options.onProgress?.({ rekeyed: done, total: ours.length })
		if (done === ours.length || performance.now() > until) return sessions
		await sleep(lookEvery, undefined, options.signal ? { signal: options.signal } : {})
	}
}

async function grantsOfNewest(
	account: Account,
	device: string,
	accountEpoch: number,
	sessions: readonly RekeyedSession[],
): Promise<number> {
	const newest = new Map<string, number>([[account.scope, accountEpoch]])
	for (const { session, epoch, own, rekeyed } of sessions) {
		if (!own && rekeyed) newest.set(sessionScope(session), epoch)
	}
	let count = 0
	const scopes = [...newest.keys()]
	for (let from = 0; from < scopes.length; from += pageSize) {
		const some = scopes.slice(from, from + pageSize)
		const page = await account.gateway.listAccess({ scopes: some, to: device })
		for (const { scope, grants } of page.scopes) {
			count += grants.filter(({ epoch, to }) => to === device && epoch === newest.get(scope)).length
		}
	}
	return count
}
