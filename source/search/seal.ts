/**
 * Files of the index, sealed: each under a key of its own (HKDF-SHA-256 of the index's key and a random salt),
 * in sections (AES-256-GCM, the nonce is the section's number). A section is sealed once, so no nonce comes
 * twice; one that was changed, cut off, or taken from another place or file does not open.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { keySize, randomBytes } from '../protocol/box.ts'
import { concat } from '../protocol/bytes.ts'
import { derive } from '../protocol/derive.ts'
import { StyrbyError } from '../protocol/errors.ts'

/** Bytes. */
export const saltSize = 32
export const tagSize = 16
const algorithm = 'aes-256-gcm'

/** The index's key (32 bytes) of a device, from its secret box key (32 bytes). */
export function indexKey(boxSecret: Uint8Array): Uint8Array {
	return derive(boxSecret, 'search-index', keySize)
}

export const newSalt = (): Uint8Array => randomBytes(saltSize)

/** Seals and opens the sections of one file. `purpose`: what the file is. */
export class Sealer {
	readonly #key: Uint8Array

	constructor(key: Uint8Array, salt: Uint8Array, purpose: 'segment' | 'state') {
		this.#key = derive(concat(key, salt), `search-${purpose}`, keySize)
	}

	seal(section: number, plain: Uint8Array): Uint8Array {
		const cipher = createCipheriv(algorithm, this.#key, nonceOf(section))
		return new Uint8Array(
			Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
		)
	}

	/** Throws `search_index_damaged`. */
	open(section: number, sealed: Uint8Array): Uint8Array {
		if (sealed.length < tagSize) throw indexDamaged()
		const decipher = createDecipheriv(algorithm, this.#key, nonceOf(section))
		decipher.setAuthTag(sealed.subarray(sealed.length - tagSize))
		try {
			const opened = decipher.update(sealed.subarray(0, sealed.length - tagSize))
			return new Uint8Array(Buffer.concat([opened, decipher.final()]))
		} catch (cause) {
			throw indexDamaged(cause)
		}
	}
}

function nonceOf(section: number): Uint8Array {
	const nonce = new Uint8Array(12)
	new DataView(nonce.buffer).setUint32(8, section)
	return nonce
}

export function indexDamaged(cause?: unknown): StyrbyError {
	return new StyrbyError(
		'search_index_damaged',
		'The search index on this machine was damaged or changed: it is built anew.',
		{ cause },
	)
}
