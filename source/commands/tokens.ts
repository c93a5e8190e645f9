/**
 * The sign-in of this home. The refresh token is a secret and lives in the vault; the access token opens
 * nothing but ciphertext for an hour, and lies in a private file so that commands start without a round
 * trip.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Endpoint } from '../backend/client.ts'
import { unreachable } from '../backend/failure.ts'
import { refreshTokens, signInByJoin, type Tokens } from '../backend/sign-in.ts'
import { accountChanged, TokenSource, type TokenStore } from '../backend/token-source.ts'
import type { Home } from '../config/paths.ts'
import type { Profile } from '../config/profiles.ts'
import { readState, writeState } from '../config/state.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { decodeJson, encodeJson, uuid, version } from '../protocol/json.ts'
import { joinEmbedded } from '../server/discover.ts'
import type { Vault } from '../vault/vault.ts'
import { alone } from './alone.ts'
import { knownDevice } from './own-device.ts'

const accessFile = ({ base, vaultName }: Omit<TokenPlace, 'vault'>) =>
	join(base.run, `access-${vaultName}.json`)
const entryName = (vaultName: string) => `${vaultName}:sign-in`

const refreshSchema = v.object({ v: version, user_id: uuid, refresh_token: v.string() })
const accessSchema = v.object({ user_id: uuid, access_token: v.string(), expires_at: v.number() })

export interface TokenPlace {
	/** The whole home. */
	base: Home
	vault: Vault
	vaultName: string
}

export interface TokenOptions extends TokenPlace {
	endpoint: Endpoint
	profile: Profile | null
}

export function tokenStore({ base, vault, vaultName }: TokenPlace): TokenStore {
	const file = accessFile({ base, vaultName })
	const entry = entryName(vaultName)
	return {
		async load(): Promise<Tokens | null> {
			const secret = await vault.get(entry)
			if (!secret) return null
			const { user_id, refresh_token } = decodeJson(secret, refreshSchema, 'sign_in')
			const access = await readState(file, accessSchema)
			const valid = access?.user_id === user_id ? access : { access_token: '', expires_at: 0 }
			const { access_token, expires_at } = valid
			return { user_id, refresh_token, access_token, expires_at }
		},
		async save({ user_id, refresh_token, access_token, expires_at }): Promise<void> {
			await vault.set(entry, encodeJson({ v: 1, user_id, refresh_token }))
			await writeState(file, accessSchema, { user_id, access_token, expires_at })
		},
	}
}

/** Takes the sign-in out of this home. Throws as `Vault.delete` does. */
export async function forgetTokens({ base, vault, vaultName }: TokenPlace): Promise<void> {
	await vault.delete(entryName(vaultName))
	await rm(accessFile({ base, vaultName }), { force: true })
}

/**
 * A home that had an account, and a vault that does not know it: the keys are somewhere else. A fresh
 * account in its place would look as if all history were lost. Throws `no_device_key` (exit 3).
 */
async function refuseSecondAccount({ base, vault }: TokenOptions): Promise<void> {
	const known = await knownDevice(base)
	if (known === null) return
	throw new StyrbyError(
		'no_device_key',
		`The keys of this home's account are not in this vault (${vault.kind}: ${vault.detail}): bring back the one that has them, or move ${base.data} away to begin anew.`,
		{ exitCode: exit.notSignedIn },
	)
}

/**
 * The tokens of the sign-in in use; on first use of the embedded backend this makes the account. Throws
 * `not_signed_in` (exit 3) where somebody has to sign in, and `account_changed` (exit 4).
 */
export async function openTokens(options: TokenOptions): Promise<TokenSource> {
	const { base, endpoint, profile } = options
	const store = tokenStore(options)
	const exclusively = alone(base, 'sign-in')
	const known = await store.load()
	if (profile !== null) {
		if (!known) throw signedOut(profile)
		if (known.user_id !== profile.account) throw accountChanged()
	} else if (!known) {
		await exclusively(async () => {
			if (await store.load()) return
			await refuseSecondAccount(options)
			await store.save(await joinOwn(base, endpoint))
		})
	}
	return new TokenSource({
		store,
		known,
		exclusively,
		refresh: async (token) => refreshOf(options, token, (await store.load())?.user_id),
	})
}

/** As every machine that joins: whichever of them comes first, all end in one account. */
async function joinOwn(base: Home, endpoint: Endpoint, account?: string): Promise<Tokens> {
	const offer = await joinEmbedded(base)
	if (offer === null) throw unreachable()
	return signInByJoin(endpoint, offer.secret, account)
}

async function refreshOf(
	{ base, endpoint, profile }: TokenOptions,
	token: string,
	account: string | undefined,
): Promise<Tokens> {
	try {
		return await refreshTokens(endpoint, token)
	} catch (error) {
		const ended = error instanceof StyrbyError && error.code === 'not_signed_in'
		if (!ended) throw error
		if (profile !== null) throw signInEnded(profile, error)
		// Another machine of the account may have ended all sign-ins: this one has the server in its hands.
		return joinOwn(base, endpoint, account).catch(() => {
			throw error
		})
	}
}

function signedOut(profile: Profile): StyrbyError {
	return new StyrbyError(
		'not_signed_in',
		`This home is signed out of ${profile.url}: run "${loginLine(profile)}".`,
		{ exitCode: exit.notSignedIn },
	)
}

function signInEnded(profile: Profile, cause: unknown): StyrbyError {
	return new StyrbyError(
		'not_signed_in',
		`The sign-in to ${profile.url} has ended there (it was signed out, or this device was revoked): run "${loginLine(profile)}" to sign in again; the keys of this device stay.`,
		{ exitCode: exit.notSignedIn, cause },
	)
}

/** What a person types to sign in again. */
export function loginLine({ kind, url, email }: Profile): string {
	if (kind === 'embedded') return 'styrby-tui login --join -'
	return `styrby-tui login --url ${url}${email === null ? '' : ` --email ${email}`}`
}
