/**
 * The key file, version 1: JSON `{v, kdf: {name, n, r, p, salt}, nonce, ciphertext, checksum}`, bytes as
 * base64. `ciphertext` is `nacl.secretbox` of JSON `{v, secrets: [[name, base64], …]}` under a key that scrypt
 * makes of the passphrase; `checksum` tells a damaged file from a wrong passphrase, and protects nothing.
 */
import { createHash, scrypt } from 'node:crypto'
import nacl from 'tweetnacl'
import * as v from 'valibot'
import { decodeUtf8, encodeUtf8, fromBase64, toBase64 } from '../protocol/bytes.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'

const saltSize = 16
const keySize = 32
const smallestN = 2 ** 15
/** 256 MiB of memory: a file that someone else wrote may not ask for more. */
const largestN = 2 ** 18

const count = v.pipe(v.number(), v.integer())
const fileSchema = v.object({
	v: v.literal(1),
	kdf: v.object({
		name: v.literal('scrypt'),
		n: v.pipe(
			count,
			v.minValue(smallestN),
			v.maxValue(largestN),
			v.check((n) => Number.isInteger(Math.log2(n))),
		),
		r: v.literal(8),
		p: v.pipe(count, v.minValue(1), v.maxValue(4)),
		salt: v.string(),
	}),
	nonce: v.string(),
	ciphertext: v.string(),
	checksum: v.string(),
})
const secretsSchema = v.object({
	v: v.literal(1),
	secrets: v.array(v.tuple([v.string(), v.string()])),
})
const versioned = v.object({ v: v.number() })

export type Random = (size: number) => Uint8Array
export type Secrets = Map<string, Uint8Array>

/** scrypt's parameters; `salt` is 16 bytes. */
export interface Kdf {
	n: number
	r: 8
	p: number
	salt: Uint8Array
}

export interface Sealed {
	kdf: Kdf
	/** 24 bytes. */
	nonce: Uint8Array
	ciphertext: Uint8Array
}

/** The parameters of a new file: 128 MiB and about a third of a second. */
export function newKdf(random: Random): Kdf {
	return { n: 2 ** 17, r: 8, p: 1, salt: random(saltSize) }
}

/** The key (32 bytes) of a passphrase. Off the main thread. Throws `out_of_memory`. */
export function deriveKey(passphrase: string, { n, r, p, salt }: Kdf): Promise<Uint8Array> {
	const options = { N: n, r, p, maxmem: 128 * r * (n + p + 2) + 2 ** 20 }
	return new Promise((resolve, reject) => {
		scrypt(passphrase.normalize('NFC'), salt, keySize, options, (error, key) => {
			if (error) reject(outOfMemory(error))
			else resolve(new Uint8Array(key))
		})
	})
}

/** Text of a file with these secrets, sealed with a fresh nonce. */
export function encodeKeyFile(secrets: Secrets, key: Uint8Array, kdf: Kdf, random: Random): string {
	const named = [...secrets].map(([name, secret]) => [name, toBase64(secret)])
	const plaintext = encodeUtf8(JSON.stringify({ v: 1, secrets: named }))
	const nonce = random(nacl.secretbox.nonceLength)
	const ciphertext = nacl.secretbox(plaintext, nonce, key)
	const sealed = { kdf, nonce, ciphertext }
	const file: v.InferInput<typeof fileSchema> = {
		v: 1,
		kdf: { name: 'scrypt', n: kdf.n, r: kdf.r, p: kdf.p, salt: toBase64(kdf.salt) },
		nonce: toBase64(nonce),
		ciphertext: toBase64(ciphertext),
		checksum: checksum(sealed),
	}
	return `${JSON.stringify(file)}\n`
}

/** Takes a file apart. Throws `key_file_corrupt`, or `newer_version`. */
export function decodeKeyFile(bytes: Uint8Array, path: string): Sealed {
	try {
		const value: unknown = JSON.parse(decodeUtf8(bytes))
		const version = v.safeParse(versioned, value)
		if (version.success && version.output.v > 1) throw newer(path)
		const file = v.parse(fileSchema, value)
		const { n, r, p, salt } = file.kdf
		const sealed = {
			kdf: { n, r, p, salt: fromBase64(salt, saltSize) },
			nonce: fromBase64(file.nonce, nacl.secretbox.nonceLength),
			ciphertext: fromBase64(file.ciphertext),
		}
		if (checksum(sealed) !== file.checksum) throw new Error('the checksum does not fit')
		return sealed
	} catch (cause) {
		throw cause instanceof StyrbyError && cause.code === 'newer_version'
			? cause
			: corrupt(path, cause)
	}
}

/** The secrets, or `null` when the key is not the right one. Throws `key_file_corrupt`, `newer_version`. */
export function openKeyFileBox(
	{ nonce, ciphertext }: Sealed,
	key: Uint8Array,
	path: string,
): Secrets | null {
	const plaintext = nacl.secretbox.open(ciphertext, nonce, key)
	if (!plaintext) return null
	try {
		const value: unknown = JSON.parse(decodeUtf8(plaintext))
		const { secrets } = v.parse(secretsSchema, value)
		return new Map(secrets.map(([name, text]) => [name, fromBase64(text)]))
	} catch {
		// Not handed on as the cause: a parser's message may quote what it read.
		throw corrupt(path, undefined)
	}
}

function checksum({ kdf, nonce, ciphertext }: Sealed): string {
	const hash = createHash('sha256').update('styrby/v1/key-file\0')
	hash.update(JSON.stringify([kdf.n, kdf.r, kdf.p])).update('\0')
	return hash.update(kdf.salt).update(nonce).update(ciphertext).digest('base64')
}

// The parameters were checked, so this is the one way in which it fails.
function outOfMemory(cause: unknown): StyrbyError {
	return new StyrbyError(
		'out_of_memory',
		'There is not enough memory to unlock the key file, which takes up to 256 MiB for a moment: free some, then try again.',
		{ cause },
	)
}

function corrupt(path: string, cause: unknown): StyrbyError {
	return new StyrbyError(
		'key_file_corrupt',
		`The key file ${path} is damaged: restore it from a backup, or move it away and add this device anew from another one.`,
		{ exitCode: exit.notSignedIn, cause },
	)
}

function newer(path: string): StyrbyError {
	return new StyrbyError(
		'newer_version',
		`The key file ${path} was made by a newer version: update styrby-tui.`,
		{ exitCode: exit.notSignedIn },
	)
}
