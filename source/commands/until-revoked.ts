/** For commands that go on: a device that was revoked is sent nothing any more, and must not wait for it. */
import type { Account } from '../account/account.ts'
import { assertNotRevoked } from '../account/device-log.ts'

/** How often the log is looked at while nothing comes, ms. */
const lookEvery = 5_000

export interface UntilRevoked extends Disposable {
	/** Rejects with `device_revoked` (exit 3) once the verified log says so; settles in no other way. */
	readonly revoked: Promise<never>
}

export function untilRevoked(account: Account): UntilRevoked {
	const { promise, reject } = Promise.withResolvers<never>()
	// Whoever has stopped to wait has no use for it.
	promise.catch(() => undefined)
	const look = () => {
		try {
			assertNotRevoked(account.log.state, account.device.record.id)
		} catch (error) {
			reject(error)
		}
	}
	const stop = account.log.onChange(look)
	// That the log can't be had now, or does not verify, is told where it matters.
	const timer = setInterval(() => void account.log.refresh().catch(() => undefined), lookEvery)
	look()
	return {
		revoked: promise,
		[Symbol.dispose]() {
			clearInterval(timer)
			stop()
		},
	}
}
