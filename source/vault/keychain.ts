/** The system's keychain: Secret Service, macOS Keychain, Windows Credential Manager. */
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import { keychainError } from './keychain-error.ts'
import { KeychainHelper } from './keychain-helper.ts'
import { checkName, checkSecret, type Vault } from './vault.ts'

export interface KeychainOptions {
	env: NodeJS.ProcessEnv
	/** Milliseconds that a call may take. */
	limitMs: number
}

/** What people call the keychain of this platform. */
export function keychainName(platform: NodeJS.Platform = process.platform): string {
	if (platform === 'darwin') return 'macOS Keychain'
	if (platform === 'win32') return 'Windows Credential Manager'
	return 'Secret Service'
}

/**
 * Starts the helper process, and asks nothing of the keychain before the first call. Every call throws `keychain_locked` or
 * `keychain_unavailable` (exit 3) within `limitMs`. Values are base64.
 */
export function openKeychain({ env, limitMs }: KeychainOptions): Vault {
	const helper = new KeychainHelper(env)
	helper.warm()
	return {
		kind: 'keychain',
		detail: keychainName(),
		async get(name) {
			checkName(name)
			const [value] = await helper.call([{ op: 'get', name }], limitMs)
			if (value === null || value === undefined) return null
			try {
				return fromBase64(value)
			} catch (cause) {
				throw keychainError({
					why: `the entry "${name}" was changed by another program`,
					env,
					cause,
				})
			}
		},
		async set(name, secret) {
			checkName(name)
			checkSecret(secret)
			const value = toBase64(secret)
			const written = [
				{ op: 'set', name, value },
				{ op: 'get', name },
			] as const
			const [, kept] = await helper.call(written, limitMs)
			if (kept !== value) {
				throw keychainError({ why: 'it did not keep what was written', env })
			}
		},
		async delete(name) {
			checkName(name)
			await helper.call([{ op: 'delete', name }], limitMs)
		},
	}
}
