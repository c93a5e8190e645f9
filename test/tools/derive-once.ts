import type * as format from '../../source/vault/key-file-format.ts'

/**
 * The format of key files, with the key of a passphrase computed once a process, where a test opens the same
 * file in hundreds of commands:
 * `vi.mock(import('…/key-file-format.ts'), async (load) => (await import('…/derive-once.ts')).derivingOnce(await load()))`.
 */
export function derivingOnce(real: typeof format): typeof format {
	const keys = new Map<string, Promise<Uint8Array>>()
	return {
		...real,
		async deriveKey(passphrase, kdf) {
			const name = JSON.stringify([passphrase, { ...kdf, salt: [...kdf.salt] }])
			const key = keys.get(name) ?? real.deriveKey(passphrase, kdf)
			keys.set(name, key)
			// Whoever is given it may wipe it.
			return (await key).slice()
		},
	}
}
