/**
 * What this home last knew of its own device: nothing secret, and nothing that is trusted. `status` reads
 * it where the vault would have to be unlocked by hand.
 */
import { join } from 'node:path'
import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import type { Home } from '../config/paths.ts'
import { readState, writeState } from '../config/state.ts'
import { fingerprint } from '../protocol/device.ts'
import { uuid } from '../protocol/json.ts'

const schema = v.object({
	account: uuid,
	id: uuid,
	name: v.nullable(v.string()),
	fingerprint: v.string(),
})
export type OwnDevice = v.InferOutput<typeof schema>

const fileOf = (home: Home) => join(home.data, 'own-device.json')

/** `null` where no account was ever opened. Throws `state_corrupt`. */
export function knownDevice(home: Home): Promise<OwnDevice | null> {
	return readState(fileOf(home), schema)
}

/** Writes only what has changed. Throws `home_not_writable`, `disk_full`. */
export async function rememberDevice(home: Home, account: Account): Promise<void> {
	const { record } = account.device
	const own: OwnDevice = {
		account: account.id,
		id: record.id,
		name: account.deviceName(record.id),
		fingerprint: fingerprint(record),
	}
	const known = await knownDevice(home)
	if (JSON.stringify(known) !== JSON.stringify(own)) await writeState(fileOf(home), schema, own)
}
