/** What most commands need: the home, the backend, and this device in its account. */
import type { Account, AccountOptions } from '../account/account.ts'
import type { Endpoint } from '../backend/client.ts'
import type { Gateway } from '../backend/gateway.ts'
import { type Log, openLog } from '../config/log.ts'
import { ensureFolder, type Home, resolveHome } from '../config/paths.ts'
import { chosenProfile, homeOf, type Profile } from '../config/profiles.ts'
import { loadSettings, type Settings } from '../config/settings.ts'
import { anyInstalled } from '../host/hooks/installations.ts'
import { openVault } from '../vault/choose.ts'
import type { Vault } from '../vault/vault.ts'
import type { OpenedViewer } from '../viewer/open-viewer.ts'
import { type Io, isInteractive } from './io.ts'

/** The folders, settings and log of this home; nothing is started for it. */
export interface BasePlace {
	io: Io
	/** Everything of ours on this machine: the key file and the embedded backend lie in its data folder. */
	base: Home
	settings: Settings
	log: Log
}

export interface Place extends BasePlace {
	/** `base` with the data folder of the account in use: outbox, pins, what is hosted. */
	home: Home
	/** The sign-in in use; `null`: the embedded backend of this home. */
	profile: Profile | null
}

/** The backend with this home's sign-in; whether there is a device yet is not looked at. */
export interface SignedIn extends Place, AsyncDisposable {
	vault: Vault
	/** What the vault's entries of this sign-in begin with. */
	vaultName: string
	backend: { kind: 'embedded' | 'supabase'; url: string; email: string | null }
	gateway: Gateway
	accountOptions: AccountOptions
}

export interface Context extends SignedIn {
	account: Account
	viewer(options?: { waitMs?: number }): OpenedViewer
}

/** Throws what an unsafe, unwritable or wrongly set home gives. */
export async function openBase(io: Io): Promise<BasePlace> {
	const base = resolveHome(io.env, io.platform)
	for (const folder of [base.config, base.data, base.run]) await ensureFolder(folder)
	const settings = await loadSettings(base)
	const log = await openLog({ home: base, env: io.env, now: io.now })
	return { io, base, settings, log }
}

/**
 * As `openBase`, with the sign-in in use. Throws `not_signed_in` where the environment names a backend that
 * this home never signed in to, and `state_corrupt`.
 */
export async function openPlace(io: Io): Promise<Place> {
	const place = await openBase(io)
	const profile = await chosenProfile(place.base, io.env)
	const home = homeOf(place.base, profile)
	if (profile !== null) await ensureFolder(home.data)
	return { ...place, home, profile }
}

export interface ContextOptions {
	/** Another way to the same backend, such as one that is listened in on. */
	route?(endpoint: Endpoint): Promise<Endpoint>
}

/**
 * Opens the account of this home over the backend in use; the embedded one is started when it does not run.
 * On first use this makes the account and the device.
 */
export async function openContext(io: Io, options: ContextOptions = {}): Promise<Context> {
	const { place, vault } = await openHere(io)
	const { connectAccount } = await import('./connect-account.ts')
	return await connectAccount(place, vault, options)
}

/** The same, without looking for a device or making one: where this home is yet to become one. */
export async function openSignedIn(io: Io, options: ContextOptions = {}): Promise<SignedIn> {
	const { place, vault } = await openHere(io)
	return await signIn(place, vault, options)
}

/** As `openSignedIn`, over a vault that is open. */
export async function signIn(
	place: Place,
	vault: Vault,
	options: ContextOptions = {},
): Promise<SignedIn> {
	const [{ connectBackend }] = await Promise.all([
		import('./connect-backend.ts'),
		keepHooksHosted(place),
	])
	return await connectBackend(place, vault, options)
}

/** The vault of this home. Throws what `openVault` does. */
export function vaultOf({ base, settings, io }: BasePlace): Promise<Vault> {
	return openVault({ home: base, env: io.env, settings, interactive: isInteractive(io) })
}

async function openHere(io: Io): Promise<{ place: Place; vault: Vault }> {
	const place = await openPlace(io)
	// The keychain's helper, or the work on the passphrase, is under way while all else is being loaded.
	const [vault] = await Promise.all([vaultOf(place), import('./connect-account.ts')])
	await keepHooksHosted(place)
	return { place, vault }
}

/** Starts the host of hooks where there are any and it does not run. */
async function keepHooksHosted(place: Place): Promise<void> {
	if (!anyInstalled(place.base)) return
	const { ensureHooksHost } = await import('./hooks/launch.ts')
	await ensureHooksHost(place)
}
