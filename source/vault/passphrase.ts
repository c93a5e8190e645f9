/** Where the passphrase of the key file comes from. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../config/home-error.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'

/** Asks for a passphrase; `purpose` is `create` for a new one, which is asked for twice. */
export type AskPassphrase = (purpose: 'unlock' | 'create', attempt: number) => Promise<string>

/** A passphrase that can be had again and again, or only by asking a person. */
export interface PassphraseSource {
	ask: AskPassphrase
	/** How often a wrong one may be asked for again. */
	attempts: number
}

const maxBytes = 4_096
const shortest = 8
const credential = 'styrby-passphrase'

/**
 * The first of: the file named by `STYRBY_PASSPHRASE_FILE`, the systemd credential `styrby-passphrase`,
 * a person at the terminal (`askPerson`, absent without one). Throws `no_passphrase` (exit 3).
 */
export async function findPassphrase(
	env: NodeJS.ProcessEnv,
	askPerson: AskPassphrase | null,
): Promise<PassphraseSource> {
	if (env.STYRBY_PASSPHRASE_FILE) {
		const passphrase = await readPassphrase(env.STYRBY_PASSPHRASE_FILE, true)
		if (passphrase !== null) return { ask: async () => passphrase, attempts: 1 }
	}
	if (env.CREDENTIALS_DIRECTORY) {
		const file = join(env.CREDENTIALS_DIRECTORY, credential)
		const passphrase = await readPassphrase(file, false)
		if (passphrase !== null) return { ask: async () => passphrase, attempts: 1 }
	}
	if (askPerson) return { ask: askPerson, attempts: 3 }
	throw new StyrbyError(
		'no_passphrase',
		`The key file needs its passphrase and there is no terminal to ask for it: set STYRBY_PASSPHRASE_FILE to a file that holds it, or give a systemd credential named ${credential}.`,
		{ exitCode: exit.notSignedIn },
	)
}

/** Whether a passphrase was laid out for us, so that `findPassphrase` need not ask a person. */
export function hasStoredPassphrase(env: NodeJS.ProcessEnv): boolean {
	if (env.STYRBY_PASSPHRASE_FILE) return true
	return Boolean(
		env.CREDENTIALS_DIRECTORY && existsSync(join(env.CREDENTIALS_DIRECTORY, credential)),
	)
}

/** Throws `passphrase_too_short` (exit 2): only asked of a passphrase that is about to protect something. */
export function checkNewPassphrase(passphrase: string): void {
	if (passphrase.length >= shortest) return
	throw new StyrbyError(
		'passphrase_too_short',
		`The passphrase of a key file needs at least ${shortest} characters: choose a longer one.`,
		{ exitCode: exit.usage },
	)
}

/** One line of text; the line's end does not belong to it. A pipe will do as well as a file. */
async function readPassphrase(file: string, mustExist: boolean): Promise<string | null> {
	let bytes: Buffer
	try {
		bytes = await readFile(file)
	} catch (cause) {
		if (!mustExist && systemCode(cause) === 'ENOENT') return null
		throw unusable(file, 'can not be read', cause)
	}
	if (bytes.length > maxBytes) throw unusable(file, `is larger than ${maxBytes} bytes`)
	let text: string
	try {
		text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
	} catch {
		// The decoder's message says nothing more, and must not quote a passphrase.
		throw unusable(file, 'is not UTF-8 text')
	}
	const passphrase = text.replace(/\r?\n$/, '')
	if (passphrase === '') throw unusable(file, 'is empty')
	if (/[\r\n]/.test(passphrase)) throw unusable(file, 'holds more than one line')
	return passphrase
}

function unusable(file: string, why: string, cause?: unknown): StyrbyError {
	return new StyrbyError(
		'no_passphrase',
		`The passphrase file ${file} ${why}: put the passphrase on its one line, and make it readable to you.`,
		{ exitCode: exit.notSignedIn, cause },
	)
}
