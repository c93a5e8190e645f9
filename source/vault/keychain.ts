/** The system's keychain: Secret Service, macOS Keychain, Windows Credential Manager. */
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import { callKeychain, type KeychainOptions } from './keychain-call.ts'
import { keychainError } from './keychain-error.ts'
import { checkName, checkSecret, type Vault } from './vault.ts'

/** What people call the keychain of this platform. */
export function keychainName(platform: NodeJS.Platform = process.platform): string {
	if (platform === 'darwin') return 'macOS Keychain'
	if (platform === 'win32') return 'Windows Credential Manager'
	return 'Secret Service'
}

/**
 * Nothing is asked of the keychain before the first call. Every call throws `keychain_locked` or
 * `keychain_unavailable` (exit 3) within `limitMs`. Values are base64.
 */
export function openKeychain(options: KeychainOptions): Vault {
	return {
		kind: 'keychain',
		detail: keychainName(),
		async get(name) {
			checkName(name)
			const [value] = await callKeychain([{ op: 'get', name }], options)
			if (value === null || value === undefined) return null
			try {
				return fromBase64(value)
			} catch (cause) {
				throw keychainError({
					why: `the entry "${name}" was changed by another program`,
					env: options.env,
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
			const [, kept] = await callKeychain(written, options)
			if (kept !== value) {
				throw keychainError({ why: 'it did not keep what was written', env: options.env })
			}
		},
		async delete(name) {
			checkName(name)
			await callKeychain([{ op: 'delete', name }], options)
		},
	}
}
