/** The account as this device knows it: its log verified, its keys there. */

import { type Home, resolveHome } from '../../config/paths.ts'
import type { Profile } from '../../config/profiles.ts'
import { fingerprint } from '../../protocol/device.ts'
import { activeDevices } from '../../protocol/device-log.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import { backendFolder } from '../../server/installation.ts'
import { hasKeyFile } from '../../vault/key-file.ts'
import { hasStoredPassphrase } from '../../vault/passphrase.ts'
import { checkDeviceLog, findIntruders } from '../../viewer/history-check.ts'
import { openContext } from '../context.ts'
import { type Io, isInteractive } from '../io.ts'
import { knownDevice } from '../own-device.ts'
import { type Check, checking, fail, ok, warn } from './check.ts'

const beginAnew = (home: Home) =>
	`Bring ${backendFolder(home.data)} back from a backup, or move ${home.data} away to begin anew.`

/** `[account, device-log]` */
export async function checkAccount(io: Io, home: Home, profile: Profile | null): Promise<Check[]> {
	if ((await knownDevice(home)) === null) {
		const none =
			profile === null
				? 'none yet: the first command that needs one makes it'
				: `${profile.account}; this home is no device of it yet`
		return [ok('account', none)]
	}
	if (
		hasKeyFile(resolveHome(io.env, io.platform)) &&
		!hasStoredPassphrase(io.env) &&
		!isInteractive(io)
	) {
		const mend = 'Set STYRBY_PASSPHRASE_FILE, or run this in a terminal.'
		return [warn('account', 'not looked at: the key file needs its passphrase', mend)]
	}
	let log: Check | null = null
	const lost = { value: false }
	const account = await checking('account', async () => {
		await using context = await openContext(io).catch((error: unknown) => {
			lost.value = error instanceof StyrbyError && error.code === 'not_signed_in'
			throw error
		})
		const { account } = context
		const { record } = account.device
		log = await checking('device-log', async () => {
			const { entries, verified, problem } = await checkDeviceLog(account)
			const intruders = await findIntruders(account)
			if (!verified) {
				return fail(
					'device-log',
					problem ?? 'does not verify',
					'Trust nothing that this backend shows.',
				)
			}
			const [intruder] = intruders
			if (intruder) {
				const detail = `the server shows a device that is not in the log: ${intruder.id}`
				return fail('device-log', detail, 'Nothing is encrypted to it; ask who runs the server.')
			}
			const devices = activeDevices(account.log.state).length
			const one = devices === 1 ? 'one device' : `${devices} devices`
			const all = entries === 1 ? '1 entry' : `${entries} entries`
			return ok('device-log', `${all}, signed and chained; ${one} can read`)
		})
		return ok('account', `${account.id}, this device is ${fingerprint(record)}`)
	})
	if (log !== null) return [account, log]
	return [lost.value && profile === null ? { ...account, mend: beginAnew(home) } : account]
}
