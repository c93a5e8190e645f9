/**
 * The sign-in of this home. The refresh token is a secret and lives in the vault; the access token opens
 * nothing but ciphertext for an hour, and lies in a private file so that commands start without a round
 * trip.
 */
import { join } from 'node:path'
import * as v from 'valibot'
import type { Endpoint } from '../backend/client.ts'
import { refreshTokens, signUpAnonymously, type Tokens } from '../backend/sign-in.ts'
import { TokenSource, type TokenStore } from '../backend/token-source.ts'
import type { Home } from '../config/paths.ts'
import { readState, writeState } from '../config/state.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { decodeJson, encodeJson, uuid, version } from '../protocol/json.ts'
import type { Vault } from '../vault/vault.ts'
import { alone } from './alone.ts'
import { knownDevice } from './own-device.ts'

const refreshSchema = v.object({ v: version, user_id: uuid, refresh_token: v.string() })
const accessSchema = v.object({ user_id: uuid, access_token: v.string(), expires_at: v.number() })

export interface TokenOptions {
	home: Home
	vault: Vault
	vaultName: string
	endpoint: Endpoint
}

function tokenStore({ home, vault, vaultName }: TokenOptions): TokenStore {
	const file = join(home.run, `access-${vaultName}.json`)
	const entry = `${vaultName}:sign-in`
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

/**
 * A home that had an account, and a vault that does not know it: the keys are somewhere else. A fresh
 * account in its place would look as if all history were lost. Throws `no_device_key` (exit 3).
 */
async function refuseSecondAccount({ home, vault }: TokenOptions): Promise<void> {
	const known = await knownDevice(home)
	if (known === null) return
	throw new StyrbyError(
		'no_device_key',
		`The keys of this home's account are not in this vault (${vault.kind}: ${vault.detail}): bring back the one that has them, or move ${home.data} away to begin anew.`,
		{ exitCode: exit.notSignedIn },
	)
}

/** The tokens of this home; on first use this makes the account. */
export async function openTokens(options: TokenOptions): Promise<TokenSource> {
	const { home, endpoint } = options
	const store = tokenStore(options)
	const exclusively = alone(home, 'sign-in')
	const known = await store.load()
	if (!known) {
		await exclusively(async () => {
			if (await store.load()) return
			await refuseSecondAccount(options)
			await store.save(await signUpAnonymously(endpoint))
		})
	}
	return new TokenSource({
		store,
		known,
		exclusively,
		refresh: (token) => refreshTokens(endpoint, token),
	})
}
