/** What most commands need: the home, the backend, and this device in its account. */
import { hostname } from 'node:os'
import { Account } from '../account/account.ts'
import { logStoreIn } from '../account/log-store.ts'
import type { Endpoint } from '../backend/client.ts'
import { connectGateway } from '../backend/connect-gateway.ts'
import type { Gateway } from '../backend/gateway.ts'
import { type Log, openLog } from '../config/log.ts'
import { ensureFolder, type Home, resolveHome } from '../config/paths.ts'
import { loadSettings, type Settings } from '../config/settings.ts'
import { connectEmbedded } from '../server/discover.ts'
import { openVault } from '../vault/choose.ts'
import type { Vault } from '../vault/vault.ts'
import { type OpenedViewer, openViewer } from '../viewer/open-viewer.ts'
import { alone } from './alone.ts'
import { embeddedVaultName, installationId } from './installation.ts'
import { type Io, isInteractive } from './io.ts'
import { rememberDevice } from './own-device.ts'
import { openTokens } from './tokens.ts'

/** The folders, settings and log of this home; nothing is started for it. */
export interface Place {
	io: Io
	home: Home
	settings: Settings
	log: Log
}

export interface Context extends Place, AsyncDisposable {
	vault: Vault
	backend: { kind: 'embedded'; url: string }
	gateway: Gateway
	account: Account
	viewer(options?: { waitMs?: number }): OpenedViewer
}

/** Throws what an unsafe, unwritable or wrongly set home gives. */
export async function openPlace(io: Io): Promise<Place> {
	const home = resolveHome(io.env, io.platform)
	for (const folder of [home.config, home.data, home.run]) await ensureFolder(folder)
	const settings = await loadSettings(home)
	const log = await openLog({ home, env: io.env, now: io.now })
	return { io, home, settings, log }
}

export interface ContextOptions {
	/** Another way to the same backend, such as one that is listened in on. */
	route?(endpoint: Endpoint): Promise<Endpoint>
}

/**
 * Opens the account of this home over the embedded backend, which is started when it does not run. On
 * first use this makes the account and the device.
 */
export async function openContext(io: Io, options: ContextOptions = {}): Promise<Context> {
	const place = await openPlace(io)
	const { home, settings } = place
	const { env, now } = io
	const [vault, endpoint] = await Promise.all([
		openVault({ home, env, settings, interactive: isInteractive(io) }),
		connectEmbedded({ data: home.data, run: home.run, log: home.log }),
	])
	const vaultName = embeddedVaultName(await installationId(home))
	const tokens = await openTokens({ home, vault, vaultName, endpoint })
	const { user_id } = await tokens.tokens()
	const gateway = connectGateway({
		...((await options.route?.(endpoint)) ?? endpoint),
		account: user_id,
		accessToken: () => tokens.accessToken(),
	})
	try {
		const account = await Account.open({
			gateway,
			vault,
			vaultName,
			logStore: logStoreIn(home.data, user_id),
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
			[Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
		}
	} catch (error) {
		await gateway[Symbol.asyncDispose]()
		throw error
	}
}
