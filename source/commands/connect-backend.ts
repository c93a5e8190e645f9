/** From an open vault to the backend, signed in: all that is slow to load, and needs no device yet. */
import { hostname } from 'node:os'
import type { AccountOptions } from '../account/account.ts'
import { logStoreIn } from '../account/log-store.ts'
import { SeenSessionsFile } from '../account/seen-sessions.ts'
import { connectGateway } from '../backend/connect-gateway.ts'
import type { Vault } from '../vault/vault.ts'
import { alone } from './alone.ts'
import { openBackend } from './backend-of.ts'
import type { ContextOptions, Place, SignedIn } from './context.ts'
import { migrationHelp } from './migration-help.ts'
import { openTokens } from './tokens.ts'

/**
 * Starts the embedded backend when that is the one in use and it does not run; on its first use this makes
 * the account. Throws `not_signed_in` (exit 3), `backend_unreachable`, `account_changed` (exit 4).
 */
export async function connectBackend(
	place: Place,
	vault: Vault,
	options: ContextOptions,
): Promise<SignedIn> {
	const { base, home, profile, io } = place
	const { endpoint, kind, vaultName } = await openBackend(base, profile)
	const tokens = await openTokens({ base, vault, vaultName, endpoint, profile })
	const { user_id: account } = await tokens.tokens()
	const gateway = connectGateway({
		...((await options.route?.(endpoint)) ?? endpoint),
		account,
		accessToken: () => tokens.accessToken(),
		schemaHelp: migrationHelp(kind),
	})
	const seen = new SeenSessionsFile(home.data, account)
	const accountOptions: AccountOptions = {
		gateway,
		vault,
		vaultName,
		logStore: logStoreIn(home.data, account),
		seen,
		deviceName: hostname(),
		exclusively: alone(base, 'account'),
		now: io.now,
	}
	return {
		...place,
		vault,
		vaultName,
		backend: { kind, url: endpoint.url, email: profile?.email ?? null },
		gateway,
		accountOptions,
		async [Symbol.asyncDispose]() {
			await gateway[Symbol.asyncDispose]()
			seen[Symbol.dispose]()
		},
	}
}
