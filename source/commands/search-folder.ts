/** Where the search index of an account is kept: in the cache folder, for it can be made again. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '../config/paths.ts'
import type { Place } from './context.ts'
import { knownVaultName } from './vault-name.ts'

export const searchFolder = (base: Home, vaultName: string) =>
	join(base.cache, `search-${vaultName}`)

/** Where the sign-in has ended, or this device was revoked. */
export async function forgetSearch({
	base,
	profile,
}: Pick<Place, 'base' | 'profile'>): Promise<void> {
	const vaultName = await knownVaultName(base, profile)
	if (vaultName === null) return
	await rm(searchFolder(base, vaultName), { recursive: true, force: true, maxRetries: 3 })
}
