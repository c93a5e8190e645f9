/** Where secret keys live. */
import { StyrbyError } from '../protocol/errors.ts'

export interface Vault {
	readonly kind: 'keychain' | 'file' | 'memory'
	/** Which keychain, or the path of the key file. */
	readonly detail: string
	/** The secret, or `null` when there is surely none: a vault that is locked or broken throws instead. */
	get(name: string): Promise<Uint8Array | null>
	/** Returns once the secret would survive a crash. At most `maxSecretSize` bytes. */
	set(name: string, secret: Uint8Array): Promise<void>
	/** Deleting what is not there changes nothing. */
	delete(name: string): Promise<void>
}

/** Bytes. Windows keeps 2,560 bytes an entry: as base64 in UTF-16, that is this much and a little. */
export const maxSecretSize = 900

/** Names are `<backend>:<account>:<what>`. Throws `bad_secret_name`. */
export function checkName(name: string): void {
	if (!/^[\x21-\x7e]{1,255}$/.test(name)) {
		throw new StyrbyError(
			'bad_secret_name',
			'A vault entry needs a name of 1 to 255 printable ASCII characters without spaces: report this as a bug.',
		)
	}
}

/** Throws `secret_too_large`. */
export function checkSecret(secret: Uint8Array): void {
	if (secret.length === 0 || secret.length > maxSecretSize) {
		throw new StyrbyError(
			'secret_too_large',
			`A secret in the vault has 1 to ${maxSecretSize} bytes, and this one does not: report this as a bug.`,
		)
	}
}
