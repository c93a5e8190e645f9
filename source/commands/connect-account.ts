/** From an open vault to the account, over the embedded backend: all that is slow to load. */
import { hostname } from 'node:os'
import { Account } from '../account/account.ts'
import { logStoreIn } from '../account/log-store.ts'
import { SeenSessionsFile } from '../account/seen-sessions.ts'
import { connectGateway } from '../backend/connect-gateway.ts'
import { connectEmbedded } from '../server/discover.ts'
import type { Vault } from '../vault/vault.ts'
import { openViewer } from '../viewer/open-viewer.ts'
import { alone } from './alone.ts'
import type { Context, ContextOptions, Place } from './context.ts'
import { embeddedVaultName, installationId } from './installation.ts'
import { rememberDevice } from './own-device.ts'
import { openTokens } from './tokens.ts'

/** Starts the backend when it does not run; on first use this makes the account and the device. */
export async function connectAccount(
	place: Place,
	vault: Vault,
	options: ContextOptions,
): Promise<Context> {
	const { home, io } = place
	const { now } = io
	const [endpoint, installation] = await Promise.all([
		connectEmbedded({ data: home.data, run: home.run, log: home.log }),
		installationId(home),
	])
	const vaultName = embeddedVaultName(installation)
	const tokens = await openTokens({ home, vault, vaultName, endpoint })
	const { user_id } = await tokens.tokens()
	const gateway = connectGateway({
		...((await options.route?.(endpoint)) ?? endpoint),
		account: user_id,
		accessToken: () => tokens.accessToken(),
	})
	const seen = new SeenSessionsFile(home.data, user_id)
	try {
		const account = await Account.open({
			gateway,
			vault,
			vaultName,
			logStore: logStoreIn(home.data, user_id),
			seen,
			deviceName: hostname(),
			exclusively: alone(home, 'account'),
			now,
		})
		await rememberDevice(home, account)
		const backend = { kind: 'embedded', url: endpoint.url } as const
		return {
			...place,
			vault,
			backend,
			gateway,
			account,
			viewer: (options = {}) => openViewer({ account, backend, vault, now, ...options }),
			async [Symbol.asyncDispose]() {
				await gateway[Symbol.asyncDispose]()
				seen[Symbol.dispose]()
			},
		}
	} catch (error) {
		await gateway[Symbol.asyncDispose]()
		seen[Symbol.dispose]()
		throw error
	}
}
