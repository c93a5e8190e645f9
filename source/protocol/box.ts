/** NaCl boxes: X25519, XSalsa20-Poly1305, through tweetnacl. */
import nacl from 'tweetnacl'
import { refused } from './errors.ts'

export type RandomBytes = (size: number) => Uint8Array

/** Cryptographic randomness of the system, as tweetnacl gets it. */
export const randomBytes: RandomBytes = (size) => nacl.randomBytes(size)

export const nonceSize = 24
export const keySize = 32
/** Poly1305 tag. */
export const boxOverhead = 16

// Every clamped scalar is a multiple of 8, so any of them sends every low-order point to zero.
const probeScalar = new Uint8Array(32).fill(9)

/**
 * Refuses a foreign public box key (32 bytes) whose shared secret would be known to everyone.
 * Throws `weak_key`.
 */
export function assertUsableBoxKey(publicKey: Uint8Array): void {
	if (
		publicKey.length !== keySize ||
		nacl.scalarMult(probeScalar, publicKey).every((b) => b === 0)
	) {
		throw refused('weak_key', 'A public key is not usable: it would give everyone the shared key.')
	}
}

/** The shared key (32 bytes) of a pair of devices. About 0.5 ms: keep it. Throws `weak_key`. */
export function sharedKey(theirPublicKey: Uint8Array, ownSecretKey: Uint8Array): Uint8Array {
	assertUsableBoxKey(theirPublicKey)
	return nacl.box.before(theirPublicKey, ownSecretKey)
}

/** `nacl.box.after`: ciphertext of plaintext + 16 bytes. The nonce (24 bytes) must be fresh and random. */
export function seal(plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
	return nacl.box.after(plaintext, nonce, key)
}

/** The plaintext, or `null` when the box was altered or made with another key. */
export function open(
	ciphertext: Uint8Array,
	nonce: Uint8Array,
	key: Uint8Array,
): Uint8Array | null {
	if (nonce.length !== nonceSize || ciphertext.length < boxOverhead) return null
	return nacl.box.open.after(ciphertext, nonce, key)
}
