/**
 * Talks to the system's keychain, as a process of its own: the calls block, for as long as a window that
 * asks for the keychain's password stays open, and only a process can be ended in the middle of one.
 * Reads one JSON document from stdin, writes one to stdout (see keychain-call.ts); secrets go no other way.
 */
import { text } from 'node:stream/consumers'
import type { KeychainRequest, KeychainResult } from './keychain-call.ts'

// What comes in was written by keychain-call.ts, our parent.
const { service, operations } = JSON.parse(await text(process.stdin)) as KeychainRequest
const results: KeychainResult[] = []
try {
	const { Entry } = await import('@napi-rs/keyring')
	for (const { op, name, value } of operations) {
		// Without this choice, a Linux box without a Secret Service would keep the secret in the kernel's
		// keyring, where it is gone with the next reboot.
		const entry = new Entry(service, name, { linux: { store: 'secret-service' } })
		if (op === 'set') entry.setPassword(value ?? '')
		if (op === 'delete') entry.deleteCredential()
		results.push({ value: op === 'get' ? entry.getPassword() : null })
	}
	process.stdout.write(JSON.stringify({ results }))
} catch (cause) {
	const why = cause instanceof Error ? cause.message : String(cause)
	process.stdout.write(JSON.stringify({ results, why }))
}
