/**
 * Ed25519 (section 0) through node:crypto: byte for byte what tweetnacl makes and accepts for honest keys, about 90
 * times faster. A test holds the two against each other.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { concat, toBase64, toHex } from './bytes.ts'
import { domain, type Purpose } from './digest.ts'
import { refused } from './errors.ts'

export const signatureSize = 64

const maxCached = 1000
const privateKeys = new Map<string, KeyObject>()
const publicKeys = new Map<string, KeyObject>()

/** Importing a key costs 27 µs, a quarter of a verification: recent ones are kept. */
function cached(cache: Map<string, KeyObject>, id: string, make: () => KeyObject): KeyObject {
	const known = cache.get(id)
	if (known) return known
	if (cache.size >= maxCached) cache.clear()
	const key = make()
	cache.set(id, key)
	return key
}

function base64url(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString('base64url')
}

/** Signs D(purpose) ‖ parts. `secretKey` is tweetnacl's: 32 bytes of seed ‖ 32 bytes of public key. */
export function signFor(
	purpose: Purpose,
	secretKey: Uint8Array,
	...parts: readonly Uint8Array[]
): Uint8Array {
	const publicKey = secretKey.subarray(32)
	const key = cached(privateKeys, toBase64(publicKey), () =>
		createPrivateKey({
			format: 'jwk',
			key: {
				kty: 'OKP',
				crv: 'Ed25519',
				d: base64url(secretKey.subarray(0, 32)),
				x: base64url(publicKey),
			},
		}),
	)
	return new Uint8Array(sign(null, concat(domain(purpose), ...parts), key))
}

/** Whether `signature` (64 bytes) by `publicKey` (32 bytes) is over D(purpose) ‖ parts. Never throws. */
export function verifyFor(
	purpose: Purpose,
	publicKey: Uint8Array,
	signature: Uint8Array,
	...parts: readonly Uint8Array[]
): boolean {
	if (signature.length !== signatureSize) return false
	const key = publicKeyOf(publicKey)
	return key !== null && verify(null, concat(domain(purpose), ...parts), key, signature)
}

/** `null` for what is no point of the curve: no signature verifies under it. */
function publicKeyOf(publicKey: Uint8Array): KeyObject | null {
	if (publicKey.length !== 32) return null
	try {
		const jwk = { kty: 'OKP', crv: 'Ed25519', x: base64url(publicKey) }
		return cached(publicKeys, toBase64(publicKey), () =>
			createPublicKey({ format: 'jwk', key: jwk }),
		)
	} catch {
		return null
	}
}

/** What `verifyFor` is asked. */
export interface Signed {
	purpose: Purpose
	publicKey: Uint8Array
	signature: Uint8Array
	bytes: Uint8Array
}

/** Whether all of them verify: as `verifyFor`, on all processors. */
export async function verifyAll(all: readonly Signed[]): Promise<boolean> {
	const outcomes = await Promise.all(all.map(verifyBeside))
	return outcomes.every(Boolean)
}

function verifyBeside({ purpose, publicKey, signature, bytes }: Signed): Promise<boolean> {
	const key = publicKeyOf(publicKey)
	if (key === null || signature.length !== signatureSize) return Promise.resolve(false)
	return new Promise((resolve) => {
		verify(null, concat(domain(purpose), bytes), key, signature, (error, valid) => {
			resolve(error === null && valid)
		})
	})
}

/**
 * The points of order 1, 2, 4 and 8, by their y: signatures under them can be made by anyone. Node 22 takes
 * them, Node 24 does not.
 */
const smallOrder = new Set([
	'0000000000000000000000000000000000000000000000000000000000000000',
	'0100000000000000000000000000000000000000000000000000000000000000',
	'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
	'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
	'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
	'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/** Refuses a foreign public signing key (32 bytes) under which everyone can sign. Throws `weak_key`. */
export function assertUsableSignKey(publicKey: Uint8Array): void {
	const y = Uint8Array.from(publicKey)
	// The highest bit is the sign of x.
	y[31] = (y[31] ?? 0) & 0x7f
	if (publicKey.length !== 32 || smallOrder.has(toHex(y))) {
		throw refused('weak_key', 'A public key is not usable: everyone could sign with it.')
	}
}

/** Throws `code` unless the signature verifies. */
export function assertSigned(valid: boolean, code: string, what: string): asserts valid {
	if (!valid) throw refused(code, `The signature of ${what} does not verify.`)
}
