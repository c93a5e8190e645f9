/** The backend of a profile: where it is, and what the vault calls what belongs to it. */
import type { Endpoint } from '../backend/client.ts'
import type { Home } from '../config/paths.ts'
import type { Profile } from '../config/profiles.ts'
import { connectEmbedded } from '../server/discover.ts'
import { embeddedVaultName, installationId } from './installation.ts'
import { profileVaultName } from './vault-name.ts'

export interface OpenedBackend {
	endpoint: Endpoint
	kind: 'embedded' | 'supabase'
	/** What the vault's entries of this sign-in begin with. */
	vaultName: string
}

export async function endpointOf({
	url,
	anonKey,
	certificate,
}: Pick<Profile, 'url' | 'anonKey' | 'certificate'>): Promise<Endpoint> {
	if (certificate === null) return { url, anonKey }
	const { pinnedTo } = await import('../backend/pinned.ts')
	return { url, anonKey, pinned: pinnedTo(certificate) }
}

/** Starts the embedded backend of this home (`profile` null) when it does not run. */
export async function openBackend(home: Home, profile: Profile | null): Promise<OpenedBackend> {
	if (profile !== null) {
		const { kind } = profile
		return { endpoint: await endpointOf(profile), kind, vaultName: profileVaultName(profile) }
	}
	const [{ url, anonKey }, installation] = await Promise.all([
		connectEmbedded({ data: home.data, run: home.run, log: home.log }),
		installationId(home),
	])
	const vaultName = embeddedVaultName(installation)
	return { endpoint: { url, anonKey }, kind: 'embedded', vaultName }
}
