import { randomBytes } from 'node:crypto'
import { StyrbyError } from '../protocol/errors.ts'
import { keychainName } from './keychain.ts'
import { keychainError } from './keychain-error.ts'
import { KeychainHelper } from './keychain-helper.ts'

export interface KeychainProbe {
	/** "Secret Service", "macOS Keychain", "Windows Credential Manager". */
	backend: string
	/** `null`: it works. Else `keychain_locked` or `keychain_unavailable`, with one sentence. */
	error: StyrbyError | null
	/** What a person can do about the error, one step or command each; empty when it works. */
	mend: readonly string[]
}

/**
 * Finds out by a real write, read and delete whether the system's keychain can be used. Takes at most
 * `limitMs` (3,000 by default), and leaves nothing behind in the keychain.
 */
export async function probeKeychain({
	env = process.env,
	platform = process.platform,
	limitMs = 3_000,
}: {
	env?: NodeJS.ProcessEnv
	platform?: NodeJS.Platform
	limitMs?: number
} = {}): Promise<KeychainProbe> {
	const backend = keychainName(platform)
	// A name of its own, so that probes of several processes do not meet.
	const name = `probe:${randomBytes(8).toString('hex')}`
	const value = randomBytes(32).toString('base64')
	const operations = [
		{ op: 'set', name, value },
		{ op: 'get', name },
		{ op: 'delete', name },
	] as const
	await using helper = new KeychainHelper(env)
	try {
		const [, kept] = await helper.call(operations, limitMs)
		if (kept !== value) throw keychainError({ why: 'it did not keep what was written', env })
		return { backend, error: null, mend: [] }
	} catch (cause) {
		if (!(cause instanceof StyrbyError)) throw cause
		return { backend, error: cause, mend: howToMend(cause.code, platform) }
	}
}

const useFile =
	'or keep keys in a passphrase-protected file: set STYRBY_VAULT=file, and STYRBY_PASSPHRASE_FILE where nobody can type'

function howToMend(code: string, platform: NodeJS.Platform): string[] {
	if (platform === 'darwin') {
		return ['security unlock-keychain ~/Library/Keychains/login.keychain-db', useFile]
	}
	if (platform === 'win32') {
		return ['log on with a password at the machine itself or by remote desktop', useFile]
	}
	if (code === 'keychain_locked') {
		return [
			'unlock the login keyring on the desktop, or here: gnome-keyring-daemon --unlock --components=secrets (it reads the password from stdin, up to Ctrl-D)',
			useFile,
		]
	}
	return [
		'sudo apt-get install dbus gnome-keyring (Debian, Ubuntu), or any other Secret Service',
		"without a desktop: dbus-run-session -- sh -c 'gnome-keyring-daemon --unlock --components=secrets && exec styrby-tui' (it reads the keyring's password from stdin, up to Ctrl-D)",
		useFile,
	]
}
