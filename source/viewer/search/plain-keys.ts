/** The keys of a session as data, for the thread that checks its rows. */
import type { ScopeKeys } from '../../account/key-ring.ts'
import type { MessageRow } from '../../backend/gateway.ts'
import type { EpochRecord } from '../../protocol/epoch.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import type { Scope } from '../../protocol/scope.ts'

/** `ScopeKeys` for the epochs that some rows need. */
export interface PlainKeys {
	scope: Scope
	by: string | null
	signPublic: Uint8Array | null
	newest: number
	records: ReadonlyMap<number, EpochRecord>
	keys: ReadonlyMap<number, Uint8Array | { code: string; message: string }>
}

export function plainKeys(keys: ScopeKeys, rows: readonly MessageRow[]): PlainKeys {
	const { scope, by, signPublic, newest, records } = keys
	const epochs = new Set([0, ...rows.map(({ epoch }) => epoch)])
	const known = new Map<number, Uint8Array | { code: string; message: string }>()
	for (const epoch of epochs) {
		const key = keys.keyOf(epoch)
		const { code, message } = key instanceof Uint8Array ? { code: '', message: '' } : key
		known.set(epoch, key instanceof Uint8Array ? key : { code, message })
	}
	return { scope, by, signPublic, newest, records, keys: known }
}

export function scopeKeys({ keys, ...rest }: PlainKeys): ScopeKeys {
	return {
		...rest,
		keyOf(epoch) {
			const key = keys.get(epoch)
			if (key instanceof Uint8Array) return key
			return new StyrbyError(key?.code ?? 'key_missing', key?.message ?? 'its key is not known')
		},
	}
}
