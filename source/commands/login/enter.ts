/** From tokens that a backend has given to a profile that commands work with. */
import { connectGateway } from '../../backend/connect-gateway.ts'
import { signOut, type Tokens } from '../../backend/sign-in.ts'
import type { Home } from '../../config/paths.ts'
import { enterProfile, type Profile, readProfiles } from '../../config/profiles.ts'
import { randomId } from '../../protocol/device.ts'
import { refused } from '../../protocol/errors.ts'
import type { Vault } from '../../vault/vault.ts'
import { alone } from '../alone.ts'
import { endpointOf } from '../backend-of.ts'
import { migrationHelp } from '../migration-help.ts'
import { tokenStore } from '../tokens.ts'
import { profileVaultName } from '../vault-name.ts'

/**
 * What this home is to the account: it `here` holds a device's key, it would be the `first` device, or it is
 * one that is `missing` among the devices.
 */
export type DeviceState = 'here' | 'first' | 'missing'

export interface Entered {
	profile: Profile
	device: DeviceState
}

export interface EnterOptions {
	base: Home
	vault: Vault
	/** The profile without what only this home knows. */
	found: Omit<Profile, 'id' | 'account'>
	tokens: Tokens
	/** Another account than before at this address is what the person wants. */
	newAccount: boolean
}

/**
 * Keeps the sign-in and makes its profile the current one. What is not kept is signed out again. Throws
 * `account_changed` (exit 4), `backend_lacks_migrations`, `backend_too_old`, and what the backend throws.
 */
export async function enter(options: EnterOptions): Promise<Entered> {
	const { base, vault, found, tokens } = options
	try {
		return await alone(
			base,
			'login',
		)(async () => {
			const profile = await profileFor(options)
			const device = await deviceState(vault, profile, tokens)
			const store = tokenStore({ base, vault, vaultName: profileVaultName(profile) })
			await alone(base, 'sign-in')(() => store.save(tokens))
			await enterProfile(base, profile)
			return { profile, device }
		})
	} catch (error) {
		// It would stand there for good, and nobody would know of it.
		await signOut(await endpointOf(found), tokens.access_token).catch(() => undefined)
		throw error
	}
}

/** The profile of this very account where there is one: its keys and its outbox go on. */
async function profileFor({ base, found, tokens, newAccount }: EnterOptions): Promise<Profile> {
	const account = tokens.user_id
	const { profiles } = await readProfiles(base)
	const same = profiles.filter((one) =>
		found.certificate === null
			? one.url === found.url
			: one.certificate === found.certificate && one.kind === found.kind,
	)
	const known = same.find((one) => one.account === account)
	if (known) return { ...found, id: known.id, account }
	const before = same.find((one) => one.email === found.email)
	if (before && !newAccount) {
		throw refused(
			'account_changed',
			`The backend signs you in to another account (${account}) than before (${before.account}), in which nothing of yours would be: it is not used; if the account was made anew on purpose, add --new-account.`,
		)
	}
	return { ...found, id: randomId(), account }
}

/** Asks the backend for the account's log: the first thing that a project without our functions fails at. */
export async function deviceState(
	vault: Vault,
	profile: Profile,
	tokens: Pick<Tokens, 'access_token'>,
): Promise<DeviceState> {
	await using gateway = connectGateway({
		...(await endpointOf(profile)),
		account: profile.account,
		accessToken: async () => tokens.access_token,
		schemaHelp: migrationHelp(profile.kind),
	})
	const entries = await gateway.readLog(-1)
	if (await vault.get(`${profileVaultName(profile)}:device`)) return 'here'
	return entries.length > 0 ? 'missing' : 'first'
}
