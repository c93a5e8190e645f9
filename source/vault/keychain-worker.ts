/**
 * Talks to the system's keychain, as a process of its own: the calls block, for as long as a window that
 * asks for the keychain's password stays open, and only a process can be ended in the middle of one.
 * Reads a JSON request a line from stdin, writes a JSON answer a line to stdout (keychain-helper.ts has
 * their shapes); secrets go no other way. Ends with its input.
 */
import { createInterface } from 'node:readline'
import type { KeychainAnswer, KeychainRequest } from './keychain-helper.ts'

const keyring = import('@napi-rs/keyring')

async function perform({ service, operations }: KeychainRequest): Promise<KeychainAnswer> {
	const values: (string | null)[] = []
	try {
		const { Entry } = await keyring
		for (const { op, name, value } of operations) {
			// Without this choice, a Linux box without a Secret Service would keep the secret in the kernel's
			// keyring, where it is gone with the next reboot.
			const entry = new Entry(service, name, { linux: { store: 'secret-service' } })
			if (op === 'set') entry.setPassword(value ?? '')
			if (op === 'delete') entry.deleteCredential()
			values.push(op === 'get' ? entry.getPassword() : null)
		}
		return { values }
	} catch (cause) {
		return { values, why: cause instanceof Error ? cause.message : String(cause) }
	}
}

for await (const line of createInterface({ input: process.stdin })) {
	// What comes in was written by our parent.
	const answer = await perform(JSON.parse(line) as KeychainRequest)
	process.stdout.write(`${JSON.stringify(answer)}\n`)
}
