import type { Account } from '../account/account.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { revealText } from '../text/safe-text.ts'
import { shortTime } from '../text/time.ts'

/** Why this device may host nothing any more (`so`: what that means here), by its verified log; `null` while it may. Exit code 3. */
export function ownRevocation(
	account: Account,
	so = 'nobody elsewhere can see or answer its agents any more',
): StyrbyError | null {
	const revoked = account.log.state.devices.get(account.device.record.id)?.revoked
	if (!revoked) return null
	const name = account.deviceName(revoked.by)
	const id = revoked.by.slice(0, 8)
	const by = name === null ? `the device ${id}` : `${revealText(name)} (${id})`
	const at = `${shortTime(revoked.at)} UTC`
	return new StyrbyError('device_revoked', `This device was revoked at ${at} by ${by}: ${so}.`, {
		exitCode: exit.notSignedIn,
	})
}
