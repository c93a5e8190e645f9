/** Hands the keys of history to a device (docs/protocol.md, section 4). */
import * as v from 'valibot'
import type { GrantRow } from '../backend/gateway.ts'
import type { DeviceRecord } from '../protocol/device.ts'
import { refused } from '../protocol/errors.ts'
import { type Scope, scopeSchema } from '../protocol/scope.ts'
import type { Account } from './account.ts'
import { assertGrantable } from './adding.ts'
import type { ScopeKeys } from './key-ring.ts'

export interface Progress {
	/** Sessions. `total` may grow while it goes on. */
	done: number
	total: number
}

export interface SharingOptions {
	onProgress?: (progress: Progress) => void
	signal?: AbortSignal
	/** Grants also what others than this device have granted already. */
	again?: boolean
}

export interface Shared {
	/** Sessions (and the account) of which the device lacked a key, and how many keys it was given. */
	sessions: number
	granted: number
	/** Sessions of which this device has not all keys itself. */
	unreadable: number
}

/**
 * Grants `to` every key that this device holds and `to` lacks, as far as the server tells: what it hides,
 * `to` finds missing. What was done stays when it is cut off; it goes on from there when it is repeated.
 * Only for a device that is active in the verified log. Throws the `problem` of the log, `device_taken`,
 * `no_such_device`.
 */
export async function shareHistory(
	account: Account,
	to: DeviceRecord,
	options: SharingOptions = {},
): Promise<Shared> {
	const shared: Shared = { sessions: 0, granted: 0, unreadable: 0 }
	const own = account.device.record.id
	const seen = new Set<string>()
	let after: string | null = null
	for (;;) {
		options.signal?.throwIfAborted()
		account.log.assertTrusted()
		assertGrantable(account.log.state, to)
		const { again = false } = options
		const page = await account.gateway.listKeyGaps({ to: to.id, by: own, after, again })
		const scopes = page.scopes.filter((scope): scope is Scope => {
			return v.is(scopeSchema, scope) && !seen.has(scope)
		})
		// A server may repeat itself for ever, or make scopes up; nobody has to listen for ever.
		if (scopes.length === 0) return shared
		for (const scope of scopes) seen.add(scope)
		assertCountable(seen.size)
		const total = shared.sessions + page.left
		options.onProgress?.({ done: shared.sessions, total })
		const keys = await account.keys.loadAll(scopes)
		assertGrantable(account.log.state, to)
		const grants = keys.flatMap((known) => grantsOf(account, known, to))
		await account.gateway.putGrants(grants)
		shared.granted += grants.length
		shared.unreadable += keys.filter(lacksAny).length
		shared.sessions += scopes.length
		options.onProgress?.({ done: shared.sessions, total: Math.max(total, shared.sessions) })
		after = scopes.at(-1) ?? null
	}
}

/** Far more than anybody has. */
const maxScopes = 200_000

/** Throws `backend_malformed` (exit 4) where a server goes on naming scopes. */
export function assertCountable(scopes: number): void {
	if (scopes <= maxScopes) return
	throw refused('backend_malformed', 'The backend names more sessions than there can be.')
}

function grantsOf(account: Account, known: ScopeKeys, to: DeviceRecord): GrantRow[] {
	const at = account.now().toISOString()
	const { scope } = known
	return [...known.records.keys()].flatMap((epoch) => {
		const key = known.keyOf(epoch)
		return key instanceof Uint8Array ? [account.keys.grant({ scope, epoch, key }, to, at)] : []
	})
}

function lacksAny(known: ScopeKeys): boolean {
	const epochs = [...known.records.keys()]
	return epochs.length === 0 || epochs.some((epoch) => !(known.keyOf(epoch) instanceof Uint8Array))
}
