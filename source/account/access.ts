/** Which device was given which key, by whom and when (docs/protocol.md, section 4). */
import * as v from 'valibot'
import { type Scope, scopeSchema } from '../protocol/scope.ts'
import type { Account } from './account.ts'
import { assertCountable } from './sharing.ts'

/** One key handed to one device. */
export interface Access {
	scope: Scope
	/** `null` for the account's own key. */
	session: string | null
	epoch: number
	/** The newest epoch of the scope. */
	newest: number
	device: string
	by: string
	at: string
	/**
	 * Whether it opens and is the right key. Only the device that it is for can tell: `null` for others,
	 * of whom it is the server's word.
	 */
	opens: boolean | null
	/** Both devices are in the verified log. */
	known: boolean
}

export interface AccessQuery {
	device?: string
	session?: string
}

/** Page by page, in the order of scopes. A server that repeats itself is not followed. */
export async function* readAccess(
	account: Account,
	query: AccessQuery = {},
): AsyncGenerator<Access> {
	const own = account.device.record.id
	const seen = new Set<string>()
	let after: string | null = null
	for (;;) {
		const { scopes, more } = await account.gateway.listAccess({
			after,
			...(query.device === undefined ? {} : { to: query.device }),
			...(query.session === undefined ? {} : { scopes: [`session:${query.session}`] }),
		})
		const fresh = scopes.flatMap((row) => {
			const { scope } = row
			return v.is(scopeSchema, scope) && !seen.has(scope) ? [{ ...row, scope: scope as Scope }] : []
		})
		if (fresh.length === 0) return
		assertCountable(seen.size + fresh.length)
		const keys = await account.keys.loadAll(fresh.map(({ scope }) => scope))
		for (const [index, { scope, grants }] of fresh.entries()) {
			seen.add(scope)
			const known = keys[index]
			for (const { epoch, to: device, by, created_at: at } of grants) {
				yield {
					scope,
					session: scope.startsWith('session:') ? scope.slice('session:'.length) : null,
					epoch,
					newest: known?.newest ?? -1,
					device,
					by,
					at,
					opens: device === own ? known?.keyOf(epoch) instanceof Uint8Array : null,
					known: [device, by].every((id) => account.log.state.devices.has(id)),
				}
			}
		}
		after = fresh.at(-1)?.scope ?? null
		if (!more) return
	}
}
