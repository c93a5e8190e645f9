/** The vault of this home as it is: nothing is chosen, made or asked for here. */
import type { Home } from '../config/paths.ts'
import type { Settings } from '../config/settings.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { hasKeyFile, keyFilePath, openKeyFile } from '../vault/key-file.ts'
import { openKeychain } from '../vault/keychain.ts'
import { findPassphrase } from '../vault/passphrase.ts'
import { probeKeychain } from '../vault/probe-keychain.ts'
import type { Vault } from '../vault/vault.ts'

export interface VaultPlace {
	home: Home
	env: NodeJS.ProcessEnv
	settings: Settings
}

export interface VaultState {
	/** The one in use; where none was chosen yet, the one that would be. */
	kind: 'keychain' | 'file'
	detail: string
	/** Opens it without a question, or throws. `null`: there is none yet. */
	vault: Vault | null
}

const limitMs = 5_000

/** What was chosen, by the environment, in the settings, or by the file that is there. Throws `bad_vault`. */
export function chosenVault({ home, env, settings }: VaultPlace): 'keychain' | 'file' | null {
	const { STYRBY_VAULT: wanted } = env
	if (wanted === 'keychain' || wanted === 'file') return wanted
	if (wanted) {
		throw new StyrbyError('bad_vault', 'STYRBY_VAULT has to be "keychain" or "file": correct it.', {
			exitCode: exit.usage,
		})
	}
	return settings.vault ?? (hasKeyFile(home) ? 'file' : null)
}

/** A key file that is opened with a passphrase laid out for us, never with one that a person types. */
export function openKeyFileUnasked({ home, env }: Omit<VaultPlace, 'settings'>): Vault {
	return openKeyFile({ path: keyFilePath(home), passphrase: () => findPassphrase(env, null) })
}

/** Throws `bad_vault`. */
export async function vaultState(place: VaultPlace): Promise<VaultState> {
	const { home, env } = place
	const chosen = chosenVault(place)
	if (chosen === 'keychain') {
		const vault = openKeychain({ env, limitMs })
		return { kind: 'keychain', detail: vault.detail, vault }
	}
	const path = keyFilePath(home)
	if (chosen === 'file') {
		const there = hasKeyFile(home)
		return {
			kind: 'file',
			detail: there ? path : `${path} (not made yet)`,
			vault: there ? openKeyFileUnasked(place) : null,
		}
	}
	const { backend, error } = await probeKeychain({ env })
	return error
		? { kind: 'file', detail: `${path} (not made yet; no system keychain works)`, vault: null }
		: { kind: 'keychain', detail: backend, vault: null }
}
