import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8, toBase64 } from '../../source/protocol/bytes.ts'
import {
	decodeKeyFile,
	deriveKey,
	encodeKeyFile,
	type Kdf,
	openKeyFileBox,
} from '../../source/vault/key-file-format.ts'

const counting = (size: number) => Uint8Array.from({ length: size }, (_, n) => n)
const kdf: Kdf = { n: 2 ** 15, r: 8, p: 1, salt: counting(16) }
const key = counting(32)
const secrets = new Map([['local:account:device', encodeUtf8('a secret')]])

/** Made once; a change here is a change of the format. */
const golden =
	'{"v":1,"kdf":{"name":"scrypt","n":32768,"r":8,"p":1,"salt":"AAECAwQFBgcICQoLDA0ODw=="},"nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX","ciphertext":"Ouhnf9hhfHS9K0JFB/CeQyXdTm39+44yyFnsTA37ObVo/h394EpcjnuYBvc2qNSP9+GRsDPZlmebocLAKSTRGXQPEcWrxuFt4UJa","checksum":"7teZtX0tBEE433xYsUbswfEU1p96XAp0Ak2L7s6YCnY="}\n'

describe('the key file format', () => {
	it('does not change', async () => {
		expect(encodeKeyFile(secrets, key, kdf, counting)).toBe(golden)
		const opened = openKeyFileBox(decodeKeyFile(encodeUtf8(golden), 'f'), key, 'f')
		expect(opened).toEqual(secrets)
		expect(toBase64(await deriveKey('correct horse', kdf))).toBe(
			'XGYmKKxOsQaKKH4qoqICriSOmNsE1h0zJ+c0LbbscJc=',
		)
	})

	it('takes a passphrase as the same however its accents are composed', async () => {
		expect(await deriveKey('cafe\u0301 au lait', kdf)).toEqual(await deriveKey('café au lait', kdf))
	})

	it('gives back any secrets', () => {
		const names = fc.stringMatching(/^[!-~]{1,60}$/)
		const any = fc.array(fc.tuple(names, fc.uint8Array({ minLength: 1, maxLength: 900 })))
		const bytes = fc.uint8Array({ minLength: 24, maxLength: 24 })
		fc.assert(
			fc.property(any, bytes, (entries, nonce) => {
				const kept = new Map(entries.map(([name, secret]) => [name, new Uint8Array(secret)]))
				const file = encodeKeyFile(kept, key, kdf, () => new Uint8Array(nonce))
				expect(openKeyFileBox(decodeKeyFile(encodeUtf8(file), 'f'), key, 'f')).toEqual(kept)
			}),
		)
	})

	it('is corrupt, and never a wrong passphrase, after any single bit flip', () => {
		const bytes = encodeUtf8(encodeKeyFile(secrets, key, kdf, counting))
		for (let at = 0; at < bytes.length; at++) {
			const flipped = Uint8Array.from(bytes)
			flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
			try {
				// Space around JSON may change its kind: then it is still the same file.
				expect(openKeyFileBox(decodeKeyFile(flipped, 'f'), key, 'f')).toEqual(secrets)
			} catch (error) {
				expect(error).toMatchObject({
					code: expect.stringMatching(/^(?:key_file_corrupt|newer_version)$/),
				})
			}
		}
	})

	it('is corrupt when cut', () => {
		const bytes = encodeUtf8(encodeKeyFile(secrets, key, kdf, counting))
		for (const length of [0, 1, 50, bytes.length - 3]) {
			expect(() => decodeKeyFile(bytes.subarray(0, length), 'f')).toThrow(
				expect.objectContaining({ code: 'key_file_corrupt', exitCode: 3 }),
			)
		}
	})

	it.each([
		['memory beyond measure', { n: 2 ** 19 }],
		['an n that is no power of two', { n: 2 ** 16 + 1 }],
		['hardly any work', { n: 2 ** 10 }],
		['wide blocks', { r: 64 }],
		['many rounds', { p: 1_000 }],
		['another function', { name: 'argon2id' }],
		['a short salt', { salt: 'AAAA' }],
	])('refuses %s before any work is done', (_, change) => {
		const file = JSON.parse(golden)
		const hostile = JSON.stringify({ ...file, kdf: { ...file.kdf, ...change } })
		expect(() => decodeKeyFile(encodeUtf8(hostile), 'f')).toThrow(
			expect.objectContaining({ code: 'key_file_corrupt' }),
		)
	})

	it('says that a newer version made it', () => {
		expect(() => decodeKeyFile(encodeUtf8('{"v":2,"other":true}'), 'f')).toThrow(
			expect.objectContaining({ code: 'newer_version' }),
		)
	})
})
