import { checkName, checkSecret, type Vault } from './vault.ts'

/** For throw-away profiles: forgotten when the process ends. */
export function memoryVault(): Vault {
	const secrets = new Map<string, Uint8Array>()
	return {
		kind: 'memory',
		detail: 'memory of this process',
		async get(name) {
			checkName(name)
			return secrets.get(name)?.slice() ?? null
		},
		async set(name, secret) {
			checkName(name)
			checkSecret(secret)
			secrets.set(name, secret.slice())
		},
		async delete(name) {
			checkName(name)
			secrets.delete(name)
		},
	}
}
