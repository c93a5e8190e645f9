import { currentAccount, type Tokens } from '../../backend/sign-in.ts'
import type { Home } from '../../config/paths.ts'
import type { Profile } from '../../config/profiles.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import type { Vault } from '../../vault/vault.ts'
import { endpointOf } from '../backend-of.ts'
import { openTokens } from '../tokens.ts'
import { profileVaultName } from '../vault-name.ts'

/**
 * The tokens of a profile whose sign-in still stands on its server, or `null` when somebody has to sign in
 * again. Throws `backend_unreachable`, `account_changed` (exit 4).
 */
export async function stillSignedIn(
	base: Home,
	vault: Vault,
	profile: Profile,
): Promise<Tokens | null> {
	const endpoint = await endpointOf(profile)
	const vaultName = profileVaultName(profile)
	try {
		const source = await openTokens({ base, vault, vaultName, endpoint, profile })
		const tokens = await source.tokens()
		const account = await currentAccount(endpoint, tokens.access_token)
		return account === profile.account ? tokens : null
	} catch (error) {
		if (error instanceof StyrbyError && error.code === 'not_signed_in') return null
		throw error
	}
}
