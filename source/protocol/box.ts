/** NaCl boxes (section 0): X25519, XSalsa20-Poly1305, through tweetnacl. */
import nacl from 'tweetnacl'
import { toHex } from './bytes.ts'
import { refused } from './errors.ts'

/** What tweetnacl has, and its types leave out. */
const { lowlevel } = nacl as typeof nacl & {
	lowlevel: {
		/** Opens `boxed[0..size]` into `opened`. 0 when it verifies; nothing is written otherwise. */
		crypto_secretbox_open(
			opened: Uint8Array,
			boxed: Uint8Array,
			size: number,
			nonce: Uint8Array,
			key: Uint8Array,
		): number
	}
}

export type RandomBytes = (size: number) => Uint8Array

/** Cryptographic randomness of the system, as tweetnacl gets it. */
export const randomBytes: RandomBytes = (size) => nacl.randomBytes(size)

export const nonceSize = 24
export const keySize = 32
/** Poly1305 tag. */
export const boxOverhead = 16

/**
 * The points of curve and twist whose order divides 8, by their u: X25519 sends these to zero, and no other
 * number below 2²⁵⁵ − 19.
 */
const lowOrder = new Set([
	'0000000000000000000000000000000000000000000000000000000000000000',
	'0100000000000000000000000000000000000000000000000000000000000000',
	'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
	'5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
	'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

// 2²⁵⁵ − 19, little-endian: X25519 takes larger numbers too, as second names of smaller ones.
const prime = new Uint8Array(32).fill(0xff)
prime[0] = 0xed
prime[31] = 0x7f

function isCanonical(publicKey: Uint8Array): boolean {
	for (let index = keySize - 1; index >= 0; index--) {
		const difference = (publicKey[index] ?? 0) - (prime[index] ?? 0)
		if (difference !== 0) return difference < 0
	}
	return false
}

/**
 * Refuses a foreign public box key (32 bytes) whose shared secret would be known to everyone, and one
 * that is a second way to write another key (section 0). Throws `weak_key`.
 */
export function assertUsableBoxKey(publicKey: Uint8Array): void {
	if (publicKey.length !== keySize || !isCanonical(publicKey) || lowOrder.has(toHex(publicKey))) {
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

/** Zeros that the original interface of NaCl wants before a box and before a message. */
const boxZeros = 16
const messageZeros = 32
/** Reused: `nacl.box.open.after` spends a third of its time on making and filling these. */
let boxed = new Uint8Array(8192)
let opened = new Uint8Array(8192)

/**
 * The plaintext, or `null` when the box was altered or made with another key: `nacl.box.open.after`, by the
 * function that does its work. Throws `TypeError` for a key that is not 32 bytes.
 */
export function open(
	ciphertext: Uint8Array,
	nonce: Uint8Array,
	key: Uint8Array,
): Uint8Array | null {
	if (key.length !== keySize) throw new TypeError('a key has 32 bytes')
	if (nonce.length !== nonceSize || ciphertext.length < boxOverhead) return null
	const size = boxZeros + ciphertext.length
	if (size > boxed.length) {
		boxed = new Uint8Array(2 * size)
		opened = new Uint8Array(2 * size)
	}
	boxed.set(ciphertext, boxZeros)
	if (lowlevel.crypto_secretbox_open(opened, boxed, size, nonce, key) !== 0) return null
	return opened.slice(messageZeros, size)
}
