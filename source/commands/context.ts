/** What most commands need: the home, the backend, and this device in its account. */
import type { Account } from '../account/account.ts'
import type { Endpoint } from '../backend/client.ts'
import type { Gateway } from '../backend/gateway.ts'
import { type Log, openLog } from '../config/log.ts'
import { ensureFolder, type Home, resolveHome } from '../config/paths.ts'
import { loadSettings, type Settings } from '../config/settings.ts'
import { openVault } from '../vault/choose.ts'
import type { Vault } from '../vault/vault.ts'
import type { OpenedViewer } from '../viewer/open-viewer.ts'
import { type Io, isInteractive } from './io.ts'

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
	/** Begun while the vault opens. */
	meanwhile?(): Promise<unknown>
}

/**
 * Opens the account of this home over the embedded backend, which is started when it does not run. On
 * first use this makes the account and the device.
 */
export async function openContext(io: Io, options: ContextOptions = {}): Promise<Context> {
	const place = await openPlace(io)
	const { home, settings } = place
	// The keychain's helper, or the work on the passphrase, is under way while all else is being loaded.
	const opening = openVault({ home, env: io.env, settings, interactive: isInteractive(io) })
	const [vault, { connectAccount }] = await Promise.all([
		opening,
		import('./connect-account.ts'),
		options.meanwhile?.(),
	])
	return await connectAccount(place, vault, options)
}
