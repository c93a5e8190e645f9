/** What the vault's entries of a sign-in begin with. */
import type { Home } from '../config/paths.ts'
import type { Profile } from '../config/profiles.ts'
import { embeddedVaultName, knownInstallation } from './installation.ts'

export const profileVaultName = ({ kind, id }: Profile) => `${kind}-${id}`

/** `null` where this home was never used. Starts and makes nothing. Throws `state_corrupt`. */
export async function knownVaultName(home: Home, profile: Profile | null): Promise<string | null> {
	if (profile !== null) return profileVaultName(profile)
	const installation = await knownInstallation(home)
	return installation === null ? null : embeddedVaultName(installation)
}
