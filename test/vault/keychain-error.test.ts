import { describe, expect, it } from 'vitest'
import { keychainError } from '../../source/vault/keychain-error.ts'

describe('keychainError', () => {
	it.each([
		"Couldn't access platform storage: Secret Service: unlock prompt was dismissed",
		'the collection is locked',
		'User interaction is not allowed.',
		'A specified logon session does not exist. It may already have been terminated.',
	])('says that it is locked: %s', (why) => {
		expect(keychainError({ why, env: {} })).toMatchObject({ code: 'keychain_locked', exitCode: 3 })
	})

	it.each([
		['DBus error: Using X11 for dbus-daemon autolaunch was disabled', 'no D-Bus session bus'],
		['Failed to connect to socket /x: No such file or directory', 'does not answer'],
		['Secret Service: no result found', 'no default collection'],
		['The name was not provided by any .service files', 'no Secret Service runs'],
		['something "blocked" we do not know', 'something "blocked" we do not know'],
		['', 'it says nothing more'],
	])('explains %j', (why, words) => {
		const error = keychainError({ why, env: {} })
		expect(error).toMatchObject({ code: 'keychain_unavailable', exitCode: 3 })
		expect(error.message).toContain(words)
	})

	it('shows no secret and no control character, whatever the library says', () => {
		const secret = Buffer.alloc(32, 7).toString('base64')
		const { message } = keychainError({ why: `bad value ${secret}\u001b[31m\n`, env: {} })
		expect(message).not.toContain(secret.slice(0, 12))
		expect(message).not.toMatch(/\p{Cc}/u)
	})
})
