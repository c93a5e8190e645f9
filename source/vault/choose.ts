/** Which vault this home uses. */
import type { Home } from '../config/paths.ts'
import { type Settings, saveSettings } from '../config/settings.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { hasKeyFile, keyFilePath, openKeyFile } from './key-file.ts'
import { openKeychain } from './keychain.ts'
import { findPassphrase, hasStoredPassphrase } from './passphrase.ts'
import { type KeychainProbe, probeKeychain } from './probe-keychain.ts'
import { confirm, passphrasePrompt, type Terminal } from './prompt.ts'
import type { Vault } from './vault.ts'

export interface VaultOptions {
	home: Home
	env: NodeJS.ProcessEnv
	settings: Settings
	/** Whether a person sits at the terminal: nothing is asked otherwise. */
	interactive: boolean
	/** Where they are asked; this process's own by default. */
	terminal?: Terminal
	/**
	 * Whether a key file is unlocked (or its passphrase chosen) at once, before any interface is up; the
	 * default. `false`: with the first use.
	 */
	unlock?: boolean
}

/** Longer for a person, who may have to type the keychain's password into a window. */
const limitMs = { interactive: 30_000, otherwise: 10_000 }

/**
 * The vault that `STYRBY_VAULT` names, else the one chosen before, else a key file that is there, else
 * the system's keychain where a probe shows that it works, else a key file, if the person says so or has
 * set `STYRBY_PASSPHRASE_FILE`. The choice is kept in the settings, so that keys are looked for where they
 * were put even on a day when the keychain does not answer. Throws `no_vault` and `keychain_locked`
 * (exit 3), `bad_vault` (exit 2), and for a key file what `openKeyFile` throws.
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
	const { home, env, settings } = options
	const chosen = fromEnvironment(env) ?? settings.vault
	if (chosen === 'keychain') return keychain(options)
	if (chosen === 'file' || hasKeyFile(home)) return keyFile(options)

	const probe = await probeKeychain({ env })
	if (!probe.error) {
		await saveSettings(home, { vault: 'keychain' })
		return keychain(options)
	}
	if (hasStoredPassphrase(env)) return keyFile(options)
	await agreeToFile(options, probe)
	const vault = await keyFile(options)
	await saveSettings(home, { vault: 'file' })
	return vault
}

function fromEnvironment({ STYRBY_VAULT: value }: NodeJS.ProcessEnv): Settings['vault'] {
	if (!value) return null
	if (value === 'keychain' || value === 'file') return value
	throw new StyrbyError('bad_vault', 'STYRBY_VAULT has to be "keychain" or "file": correct it.', {
		exitCode: exit.usage,
	})
}

function keychain({ env, interactive }: VaultOptions): Vault {
	return openKeychain({ env, limitMs: interactive ? limitMs.interactive : limitMs.otherwise })
}

async function keyFile(options: VaultOptions): Promise<Vault> {
	const path = keyFilePath(options.home)
	const ask = options.interactive ? passphrasePrompt(terminalOf(options), path) : null
	const vault = openKeyFile({ path, passphrase: () => findPassphrase(options.env, ask) })
	if (options.unlock !== false) await vault.unlock()
	return vault
}

/** Returns when the person agrees; else the keychain's error stands. */
async function agreeToFile(
	options: VaultOptions,
	{ backend, error }: KeychainProbe,
): Promise<void> {
	if (!error) return
	const locked = error.code === 'keychain_locked'
	if (options.interactive) {
		const terminal = terminalOf(options)
		terminal.output.write(
			`The system keychain (${backend}) ${locked ? 'is locked' : 'does not work here'}.\n`,
		)
		if (await confirm(terminal, 'Keep your keys in a file protected by a passphrase instead?'))
			return
		throw error
	}
	if (locked) throw error
	throw new StyrbyError(
		'no_vault',
		'There is no working system keychain to keep keys in, and no terminal to ask for another way: set STYRBY_VAULT=file and STYRBY_PASSPHRASE_FILE=<file that holds a passphrase>, or run "styrby-tui doctor" to see how to get a keychain.',
		{ exitCode: exit.notSignedIn, cause: error },
	)
}

function terminalOf({ terminal }: VaultOptions): Terminal {
	if (terminal) return terminal
	const { stdin: input, stdout, stderr } = process
	// Results go to stdout, so questions don't, unless only there a person would see them.
	return { input, output: stderr.isTTY ? stderr : stdout }
}
