/** What every process of a device does when the device log changes (docs/protocol.md, section 4). */
import { setTimeout as sleep } from 'node:timers/promises'
import { StyrbyError } from '../protocol/errors.ts'
import type { Account } from './account.ts'

/** ms, at most: the device that revoked another is to make the new account key, the others only if it does not. */
const spread = 3000

/** Sees to it that the account key is renewed after a revocation, for as long as it is not disposed of. */
export function keepUp(account: Account, failed: (code: string) => void): Disposable {
	const closing = new AbortController()
	let due = false
	const look = async () => {
		due = true
		await sleep(Math.random() * spread, undefined, { signal: closing.signal, ref: false })
		due = false
		await account.rotateKey()
	}
	const stop = account.log.onChange(() => {
		if (due) return
		look().catch((error: unknown) => {
			due = false
			// It is tried again with the next change, and at the next start.
			if (!closing.signal.aborted) failed(error instanceof StyrbyError ? error.code : 'unknown')
		})
	})
	return {
		[Symbol.dispose]() {
			closing.abort()
			stop()
		},
	}
}
