/**
 * The primitives against published vectors: tweetnacl as source/protocol uses it, and node:crypto beside
 * it, which must agree.
 */
import {
	createPrivateKey,
	createPublicKey,
	diffieHellman,
	sign as nodeSign,
	verify as nodeVerify,
} from 'node:crypto'
import fc from 'fast-check'
import nacl from 'tweetnacl'
import { describe, expect, test } from 'vitest'
import { assertUsableBoxKey, open, seal, sharedKey } from '../../source/protocol/box.ts'
import { concat } from '../../source/protocol/bytes.ts'
import { createDevice } from '../../source/protocol/device.ts'
import { domain } from '../../source/protocol/digest.ts'
import { assertUsableSignKey, signFor, verifyFor } from '../../source/protocol/sign.ts'
import box from '../fixtures/vectors/box-random.json' with { type: 'json' }
import scalarmult from '../fixtures/vectors/scalarmult-random.json' with { type: 'json' }
import secretbox from '../fixtures/vectors/secretbox-random.json' with { type: 'json' }
import ed25519 from '../fixtures/vectors/wycheproof-ed25519.json' with { type: 'json' }
import x25519 from '../fixtures/vectors/wycheproof-x25519.json' with { type: 'json' }
import { hex, unhex } from './_vectors.ts'

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const url = (raw: Uint8Array) => Buffer.from(raw).toString('base64url')
const okp = (crv: string, x: Uint8Array, d?: Uint8Array) => ({
	format: 'jwk' as const,
	key: { kty: 'OKP', crv, x: url(x), ...(d ? { d: url(d) } : {}) },
})

/** X25519 of node:crypto; `null` where it refuses the result. */
function nodeX25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
	const own = nacl.scalarMult.base(secret)
	try {
		const shared = diffieHellman({
			privateKey: createPrivateKey(okp('X25519', own, secret)),
			publicKey: createPublicKey(okp('X25519', publicKey)),
		})
		return new Uint8Array(shared)
	} catch {
		return null
	}
}

function nodeVerifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
	try {
		return nodeVerify(null, message, createPublicKey(okp('Ed25519', publicKey)), signature)
	} catch {
		return false
	}
}

/** `nacl.sign.detached.verify` throws on lengths that can't be. */
function naclVerifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
	return signature.length === 64 && nacl.sign.detached.verify(message, signature, publicKey)
}

describe('NaCl', () => {
	test(`box, ${box.cases.length} vectors`, () => {
		const nonce = new Uint8Array(24)
		for (const [publicKey = '', secret = '', message = '', sealed = ''] of box.cases) {
			const shared = sharedKey(bytes(publicKey), bytes(secret))
			expect(hex(seal(bytes(message), nonce, shared))).toBe(hex(bytes(sealed)))
			expect(hex(open(bytes(sealed), nonce, shared) ?? new Uint8Array())).toBe(hex(bytes(message)))
		}
	})

	test(`secretbox, ${secretbox.cases.length} vectors`, () => {
		for (const [key = '', nonce = '', message = '', sealed = ''] of secretbox.cases) {
			expect(hex(seal(bytes(message), bytes(nonce), bytes(key)))).toBe(hex(bytes(sealed)))
			const opened = open(bytes(sealed), bytes(nonce), bytes(key))
			expect(hex(opened ?? new Uint8Array())).toBe(hex(bytes(message)))
		}
	})

	test(`scalarmult, ${scalarmult.cases.length} vectors, and node:crypto agrees`, () => {
		for (const [pk1 = '', sk1 = '', pk2 = '', sk2 = '', shared = ''] of scalarmult.cases) {
			for (const [secret, own, other] of [
				[sk1, pk1, pk2],
				[sk2, pk2, pk1],
			].map((texts) => texts.map(bytes))) {
				if (!secret || !own || !other) throw new Error('a vector lacks a field')
				expect(hex(nacl.scalarMult.base(secret))).toBe(hex(own))
				expect(hex(nacl.scalarMult(secret, other))).toBe(hex(bytes(shared)))
				expect(hex(nodeX25519(secret, other) ?? new Uint8Array())).toBe(hex(bytes(shared)))
			}
		}
	})

	test('boxes of any size open as tweetnacl opens them, large and small in any order', () => {
		const key = new Uint8Array(32).fill(7)
		const nonce = new Uint8Array(24).fill(9)
		const sizes = fc.array(fc.oneof(fc.nat(300), fc.nat(40_000)), { minLength: 2, maxLength: 6 })
		fc.assert(
			fc.property(sizes, fc.nat(255), (lengths, byte) => {
				const opened = lengths.map((length, index) => {
					const message = new Uint8Array(length).fill(byte + index)
					const sealed = nacl.secretbox(message, nonce, key)
					expect(
						open(
							Uint8Array.from(sealed, (b, at) => (at ? b : b ^ 1)),
							nonce,
							key,
						),
					).toBeNull()
					expect(nacl.box.open.after(sealed, nonce, key)).toEqual(message)
					return { message, plaintext: open(sealed, nonce, key) }
				})
				// None shares memory with one that came later.
				for (const { message, plaintext } of opened) expect(plaintext).toEqual(message)
			}),
			{ numRuns: 30 },
		)
	})

	test('any flipped bit of a box is refused', () => {
		const key = new Uint8Array(32).fill(7)
		const nonce = new Uint8Array(24).fill(9)
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (message, where) => {
				const sealed = seal(message, nonce, key)
				const at = where % (sealed.length * 8)
				sealed[at >> 3] = (sealed[at >> 3] ?? 0) ^ (1 << (at & 7))
				expect(open(sealed, nonce, key)).toBeNull()
			}),
		)
	})

	test('what is too short, or has a nonce of another length, does not open', () => {
		const key = new Uint8Array(32)
		expect(open(new Uint8Array(15), new Uint8Array(24), key)).toBeNull()
		expect(open(new Uint8Array(), new Uint8Array(24), key)).toBeNull()
		const sealed = seal(new Uint8Array(4), new Uint8Array(24), key)
		expect(open(sealed, new Uint8Array(23), key)).toBeNull()
		expect(open(sealed, new Uint8Array(25), key)).toBeNull()
	})
})

const agreements = x25519.testGroups.flatMap(({ tests }) => tests)

describe('Wycheproof, X25519', () => {
	const weak = agreements.filter(({ flags }) => flags.includes('ZeroSharedSecret'))
	const doubled = agreements.filter(({ flags }) => flags.includes('NonCanonicalPublic'))

	test(`${agreements.length} vectors, and node:crypto agrees`, () => {
		for (const { tcId, private: secret, public: publicKey, shared } of agreements) {
			expect([tcId, hex(nacl.scalarMult(unhex(secret), unhex(publicKey)))]).toEqual([tcId, shared])
			const node = nodeX25519(unhex(secret), unhex(publicKey))
			const zero = /^0+$/.test(shared)
			expect([tcId, node && hex(node)]).toEqual([tcId, zero ? null : shared])
		}
	})

	test(`every low-order key of ${weak.length} vectors is refused`, () => {
		expect(weak.length).toBeGreaterThan(10)
		for (const { public: publicKey, private: secret } of weak) {
			expect(() => assertUsableBoxKey(unhex(publicKey))).toThrow('everyone')
			expect(() => sharedKey(unhex(publicKey), unhex(secret))).toThrow('everyone')
		}
	})

	test(`every second way to write a key of ${doubled.length} vectors is refused`, () => {
		expect(doubled.length).toBeGreaterThan(5)
		for (const { public: publicKey } of doubled) {
			expect(() => assertUsableBoxKey(unhex(publicKey))).toThrow('not usable')
		}
	})

	test('every other key is taken', () => {
		const others = agreements.filter((one) => !weak.includes(one) && !doubled.includes(one))
		for (const { public: publicKey } of others) assertUsableBoxKey(unhex(publicKey))
		expect(others.length).toBeGreaterThan(200)
	})

	test('a key with its unused bit set is the same key to X25519, so it is refused', () => {
		const { publicKey } = nacl.box.keyPair()
		const secret = new Uint8Array(32).fill(5)
		const twin = Uint8Array.from(publicKey)
		twin[31] = (twin[31] ?? 0) | 0x80
		expect(hex(nacl.scalarMult(secret, twin))).toBe(hex(nacl.scalarMult(secret, publicKey)))
		expect(() => assertUsableBoxKey(twin)).toThrow('not usable')
	})

	test.each([0, 31, 33])('a key of %i bytes is refused', (length) => {
		expect(() => assertUsableBoxKey(new Uint8Array(length).fill(9))).toThrow('not usable')
	})
})

const verifications = ed25519.testGroups.flatMap(({ publicKey, tests }) =>
	tests.map((one) => ({ ...one, key: unhex(publicKey.pk) })),
)

describe('Wycheproof, Ed25519', () => {
	test(`${verifications.length} vectors, by node:crypto`, () => {
		for (const { tcId, key, msg, sig, result } of verifications) {
			const valid = nodeVerifies(key, unhex(msg), unhex(sig))
			expect([tcId, valid]).toEqual([tcId, result === 'valid'])
		}
	})

	test('tweetnacl agrees on all, but for signatures whose S is not reduced, which only it takes', () => {
		const order = 2n ** 252n + 27742317777372353535851937790883648493n
		const s = (signature: Uint8Array) => BigInt(`0x${hex(signature.slice(32).reverse()) || '0'}`)
		let unreduced = 0
		for (const { tcId, key, msg, sig, result } of verifications) {
			const signature = unhex(sig)
			if (signature.length === 64 && s(signature) >= order) unreduced++
			else
				expect([tcId, naclVerifies(key, unhex(msg), signature)]).toEqual([tcId, result === 'valid'])
		}
		expect(unreduced).toBeGreaterThan(0)
	})
})

describe('Ed25519 of source/protocol', () => {
	const one = createDevice()
	const signPublic = one.signSecret.subarray(32)

	test('makes the bytes that tweetnacl makes, and each takes what the other made', () => {
		const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
		fc.assert(
			fc.property(seeds, fc.uint8Array({ maxLength: 300 }), (seed, message) => {
				const { secretKey, publicKey } = nacl.sign.keyPair.fromSeed(seed)
				const whole = concat(domain('message'), message)
				const made = signFor('message', secretKey, message)
				expect(hex(made)).toBe(hex(nacl.sign.detached(whole, secretKey)))
				expect(nacl.sign.detached.verify(whole, made, publicKey)).toBe(true)
				expect(verifyFor('message', publicKey, made, message)).toBe(true)
				const key = createPrivateKey(okp('Ed25519', publicKey, seed))
				expect(hex(new Uint8Array(nodeSign(null, whole, key)))).toBe(hex(made))
			}),
			{ numRuns: 20 },
		)
	})

	test('any flipped bit of key, signature or message is refused, by both', () => {
		const message = new Uint8Array(40).fill(3)
		const signature = signFor('message', one.signSecret, message)
		fc.assert(
			fc.property(fc.nat((32 + 64 + 40) * 8 - 1), (at) => {
				const all = concat(signPublic, signature, message)
				all[at >> 3] = (all[at >> 3] ?? 0) ^ (1 << (at & 7))
				const [key, sig, text] = [all.slice(0, 32), all.slice(32, 96), all.slice(96)]
				expect(verifyFor('message', key, sig, text)).toBe(false)
				expect(naclVerifies(key, concat(domain('message'), text), sig)).toBe(false)
			}),
			{ numRuns: 60 },
		)
	})

	test('a signature made for one purpose is none for another', () => {
		const message = new Uint8Array(32)
		const signature = signFor('message', one.signSecret, message)
		expect(verifyFor('frame', signPublic, signature, message)).toBe(false)
		expect(verifyFor('message', signPublic, signature, message)).toBe(true)
	})

	test('lengths that can not be are refused, never thrown', () => {
		const signature = signFor('message', one.signSecret)
		for (const length of [0, 31, 33, 64]) {
			expect(verifyFor('message', new Uint8Array(length), signature)).toBe(false)
		}
		for (const length of [0, 1, 63]) {
			expect(verifyFor('message', signPublic, signature.slice(0, length))).toBe(false)
		}
	})
})

/** y of the points of small order: 0, 1, −1, 0 and 1 again unreduced, and the two of order 8. */
const smallOrder = [
	'0000000000000000000000000000000000000000000000000000000000000000',
	'0100000000000000000000000000000000000000000000000000000000000000',
	'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
	'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
	'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
	'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].flatMap((y) => {
	const negative = unhex(y)
	negative[31] = (negative[31] ?? 0) | 0x80
	return [unhex(y), negative]
})

describe('signing keys under which everyone can sign', () => {
	test('without any secret, a signature under the neutral point verifies for any message', () => {
		const neutral = unhex(`01${'00'.repeat(31)}`)
		const forged = concat(neutral, new Uint8Array(32))
		for (const message of [new Uint8Array(), new Uint8Array(50).fill(7)]) {
			expect(nacl.sign.detached.verify(message, forged, neutral)).toBe(true)
		}
	})

	test('they are refused', () => {
		for (const key of smallOrder) {
			expect(() => assertUsableSignKey(key)).toThrow('everyone could sign')
		}
		assertUsableSignKey(createDevice().signSecret.subarray(32))
	})
})
