/** What a failing keychain means to the person, and how it is mended. */
import { redact } from '../config/redact.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'

export interface KeychainFailure {
	env: NodeJS.ProcessEnv
	/** The library's or our own words for it. */
	why?: string
	timedOutAfterMs?: number
	cause?: unknown
}

/**
 * `keychain_locked` when a person has to unlock it, also when it does not answer (a window may be open
 * on a screen that nobody sees); else `keychain_unavailable`. Both with exit code 3.
 */
export function keychainError({
	env,
	why = '',
	timedOutAfterMs,
	cause,
}: KeychainFailure): StyrbyError {
	const options = { exitCode: exit.notSignedIn, cause }
	if (timedOutAfterMs !== undefined) {
		return new StyrbyError(
			'keychain_locked',
			`The system keychain did not answer within ${timedOutAfterMs / 1000} s, perhaps because it is locked: unlock it (a window may be asking for its password) and try again, or set STYRBY_VAULT=file to keep keys in a passphrase-protected file.`,
			options,
		)
	}
	if (lockedWords.test(why)) {
		return new StyrbyError(
			'keychain_locked',
			'The system keychain is locked: unlock it and try again, or set STYRBY_VAULT=file to keep keys in a passphrase-protected file.',
			options,
		)
	}
	return new StyrbyError(
		'keychain_unavailable',
		`The system keychain can not be used here (${explain(why, env)}): run "styrby-tui doctor" to see how to mend that, or set STYRBY_VAULT=file to keep keys in a passphrase-protected file.`,
		options,
	)
}

// Secret Service; macOS, also in a session without a screen; Windows before anyone has logged on.
const lockedWords =
	/\blocked\b|prompt was dismissed|interaction is not allowed|user canceled|logon session does not exist/i

function explain(why: string, env: NodeJS.ProcessEnv): string {
	if (/autolaunch|DBUS_SESSION_BUS_ADDRESS/.test(why)) return 'there is no D-Bus session bus'
	if (/failed to connect to socket/i.test(why)) {
		return env.DBUS_SESSION_BUS_ADDRESS
			? 'nothing answers at DBUS_SESSION_BUS_ADDRESS'
			: 'the D-Bus session bus does not answer'
	}
	if (/ServiceUnknown|not provided by any \.service/i.test(why)) {
		return 'no Secret Service runs on the session bus'
	}
	if (/no result found/i.test(why)) return 'the Secret Service has no default collection'
	// The library names the platform's error, never the secret; what could be one is taken out anyway.
	const clean = redact(why)
		.replace(/[^\x20-\x7e]+/g, ' ')
		.trim()
	return clean.slice(0, 160) || 'it says nothing more'
}
