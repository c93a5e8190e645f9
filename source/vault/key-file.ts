/** The vault of a box without a keychain: one file, sealed with a passphrase. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readOwnFile, replaceFile } from '../config/atomic-file.ts'
import { withLock } from '../config/lock.ts'
import type { Home } from '../config/paths.ts'
import { exit, refused, StyrbyError } from '../protocol/errors.ts'
import {
	decodeKeyFile,
	deriveKey,
	encodeKeyFile,
	type Kdf,
	newKdf,
	openKeyFileBox,
	type Random,
	type Sealed,
	type Secrets,
} from './key-file-format.ts'
import { checkNewPassphrase, type PassphraseSource } from './passphrase.ts'
import { checkName, checkSecret, type Vault } from './vault.ts'

export interface KeyFileOptions {
	path: string
	/** Where the passphrase comes from; called at most once for an unlock, and only when there is need. */
	passphrase(): Promise<PassphraseSource>
	random?: Random
}

export interface KeyFile extends Vault {
	/** Asks for the passphrase now; for a new one where there is no file yet. Throws as `get` does. */
	unlock(): Promise<void>
}

const maxBytes = 2 ** 20

export function keyFilePath(home: Home): string {
	return join(home.data, 'key-file.json')
}

export function hasKeyFile(home: Home): boolean {
	return existsSync(keyFilePath(home))
}

/**
 * Opens or, with the first `set`, makes a key file (mode 0600). The passphrase costs one scrypt (about a
 * third of a second) a process; it is not kept, the key made of it is. Every call throws
 * `wrong_passphrase`, `no_passphrase`, `key_file_corrupt` (exit 3), `key_file_unsafe` (exit 4), and what
 * `replaceFile` throws.
 */
export function openKeyFile({
	path,
	passphrase,
	random = (size) => new Uint8Array(randomBytes(size)),
}: KeyFileOptions): KeyFile {
	let unlocked: { key: Uint8Array; kdf: Kdf } | null = null
	let unlocking: Promise<unknown> = Promise.resolve()

	async function read(): Promise<Sealed | null> {
		const bytes = await readKeyFile(path)
		return bytes && decodeKeyFile(bytes, path)
	}

	/** One at a time, so that a person is asked once however many calls wait. */
	function inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = unlocking.then(work, work)
		unlocking = turn.catch(() => undefined)
		return turn
	}

	async function open(sealed: Sealed): Promise<Secrets> {
		if (unlocked && sameSalt(unlocked.kdf, sealed.kdf)) {
			const secrets = openKeyFileBox(sealed, unlocked.key, path)
			if (secrets) return secrets
		}
		const source = await passphrase()
		for (let attempt = 1; attempt <= source.attempts; attempt++) {
			const key = await deriveKey(await source.ask('unlock', attempt), sealed.kdf)
			const secrets = openKeyFileBox(sealed, key, path)
			if (!secrets) continue
			unlocked = { key, kdf: sealed.kdf }
			return secrets
		}
		throw new StyrbyError(
			'wrong_passphrase',
			`The passphrase does not open the key file ${path}: try again with the right one.`,
			{ exitCode: exit.notSignedIn },
		)
	}

	async function newKey(): Promise<void> {
		if (unlocked) return
		const source = await passphrase()
		const chosen = await source.ask('create', 1)
		checkNewPassphrase(chosen)
		const kdf = newKdf(random)
		unlocked = { key: await deriveKey(chosen, kdf), kdf }
	}

	async function unlock(): Promise<void> {
		const sealed = await read()
		if (sealed) await open(sealed)
		else await newKey()
	}

	function change(edit: (secrets: Secrets) => boolean): Promise<void> {
		return inTurn(async () => {
			// Outside of the lock: a person takes longer to type than others should wait.
			await unlock()
			await withLock(dirname(path), 'key-file', async () => {
				const sealed = await read()
				const secrets: Secrets = sealed ? await open(sealed) : new Map()
				if (!edit(secrets) || !unlocked) return
				await replaceFile(path, encodeKeyFile(secrets, unlocked.key, unlocked.kdf, random))
			})
		})
	}

	return {
		kind: 'file',
		detail: path,
		unlock: () => inTurn(unlock),
		async get(name) {
			checkName(name)
			return inTurn(async () => {
				const sealed = await read()
				return (sealed && (await open(sealed)).get(name)) ?? null
			})
		},
		async set(name, secret) {
			checkName(name)
			checkSecret(secret)
			await change((secrets) => Boolean(secrets.set(name, secret)))
		},
		async delete(name) {
			checkName(name)
			if (await inTurn(read)) await change((secrets) => secrets.delete(name))
		},
	}
}

function sameSalt(a: Kdf, b: Kdf): boolean {
	return Buffer.compare(a.salt, b.salt) === 0 && a.n === b.n && a.p === b.p
}

async function readKeyFile(path: string): Promise<Uint8Array | null> {
	try {
		return await readOwnFile(path, maxBytes, (file) => checkPrivate(file, path))
	} catch (cause) {
		if (!(cause instanceof StyrbyError) || cause.code !== 'unsafe_file') throw cause
		throw refused('key_file_unsafe', cause.message, cause)
	}
}

async function checkPrivate(file: FileHandle, path: string): Promise<void> {
	if (!process.getuid) return
	const { uid, mode } = await file.stat()
	if (uid !== process.getuid()) {
		throw refused(
			'key_file_unsafe',
			`The key file ${path} belongs to another user: make it your own, or move it away.`,
		)
	}
	if ((mode & 0o077) !== 0) {
		throw refused(
			'key_file_unsafe',
			`The key file ${path} is open to other users: run chmod 600 on it, and choose a new passphrase if someone may have read it.`,
		)
	}
}
