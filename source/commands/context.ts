/** What most commands need: the home, the backend, and this device in its account. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { Account } from '../account/account.ts'
import { logStoreIn } from '../account/log-store.ts'
import { connectGateway } from '../backend/connect-gateway.ts'
import type { Gateway } from '../backend/gateway.ts'
import { type Log, openLog } from '../config/log.ts'
import { ensureFolder, type Home, resolveHome } from '../config/paths.ts'
import { loadSettings, type Settings } from '../config/settings.ts'
import { readState, writeState } from '../config/state.ts'
import { randomId } from '../protocol/device.ts'
import { connectEmbedded } from '../server/discover.ts'
import { openVault } from '../vault/choose.ts'
import type { Vault } from '../vault/vault.ts'
import { type OpenedViewer, openViewer } from '../viewer/open-viewer.ts'
import { alone } from './alone.ts'
import { type Io, isInteractive } from './io.ts'
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

const installationSchema = v.object({ id: v.pipe(v.string(), v.uuid()) })

/** Throws what an unsafe, unwritable or wrongly set home gives. */
export async function openPlace(io: Io): Promise<Place> {
	const home = resolveHome(io.env, io.platform)
	for (const folder of [home.config, home.data, home.run]) await ensureFolder(folder)
	const settings = await loadSettings(home)
	const log = await openLog({ home, env: io.env, now: io.now })
	return { io, home, settings, log }
}

/** Names this home's entries in a keychain that other homes share; made at first use. */
export async function installationId(home: Home): Promise<string> {
	const file = join(home.data, 'installation.json')
	const known = await readState(file, installationSchema)
	if (known) return known.id
	return alone(
		home,
		'installation',
	)(async () => {
		const meanwhile = await readState(file, installationSchema)
		if (meanwhile) return meanwhile.id
		const id = randomId()
		await writeState(file, installationSchema, { id })
		return id
	})
}

/**
 * Opens the account of this home over the embedded backend, which is started when it does not run. On
 * first use this makes the account and the device.
 */
export async function openContext(io: Io): Promise<Context> {
	const place = await openPlace(io)
	const { home, settings } = place
	const { env, now } = io
	const [vault, endpoint] = await Promise.all([
		openVault({ home, env, settings, interactive: isInteractive(io) }),
		connectEmbedded({ data: home.data, run: home.run, log: home.log }),
	])
	const vaultName = `embedded-${await installationId(home)}`
	const tokens = await openTokens({ home, vault, vaultName, endpoint })
	const { user_id } = await tokens.tokens()
	const gateway = connectGateway({
		...endpoint,
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
