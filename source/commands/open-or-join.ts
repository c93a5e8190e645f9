/** The viewer in a home that may be no device yet: then it becomes one first, on a screen of its own. */

import { deviceEntry } from '../account/device-entry.ts'
import { DeviceLog } from '../account/device-log.ts'
import { decodeDevice, fingerprint } from '../protocol/device.ts'
import { type ExitCode, StyrbyError } from '../protocol/errors.ts'
import type { RevokedHere } from '../viewer/joining.ts'
import { openAccount } from './connect-account.ts'
import type { Context, SignedIn } from './context.ts'
import { loadScreens, type ScreenOptions } from './show-viewer.ts'

/** Errors of `Account.open` that joining is the way out of. */
const joinable: ReadonlySet<string> = new Set([
	'no_device_key',
	'device_not_registered',
	'device_revoked',
])

export function isJoinable(error: unknown): boolean {
	return error instanceof StyrbyError && joinable.has(error.code)
}

/** The account, or the exit code of the person who left before this home was a device. */
export async function openOrJoin(
	signedIn: SignedIn,
	screens: ScreenOptions,
): Promise<Context | ExitCode> {
	try {
		return await openAccount(signedIn)
	} catch (error) {
		if (!isJoinable(error)) throw error
		const code = await join(signedIn, screens)
		return code === null ? await openAccount(signedIn) : code
	}
}

/** `null`: it is a device now. */
async function join(signedIn: SignedIn, screens: ScreenOptions): Promise<ExitCode | null> {
	const { io, accountOptions, backend } = signedIn
	const [{ runJoin }, { openJoining }, revoked] = await Promise.all([
		loadScreens(io),
		import('../viewer/joining.ts'),
		revocation(signedIn),
	])
	await using joining = openJoining({
		...accountOptions,
		platform: io.platform,
		revoked,
		crashed: (error) => {
			throw error
		},
	})
	const { stdin, stdout, stderr, env } = io
	const { exitCode } = await runJoin(joining, backend, {
		stdin,
		stdout,
		stderr,
		env,
		...screens,
	})
	// Signals give codes of their own, 128 and the signal's number.
	return joining.state.get().step === 'joined' ? null : (exitCode as ExitCode)
}

/** By whom and when this home's device was revoked, by the verified log; `null` where it was not. */
async function revocation({ accountOptions }: SignedIn): Promise<RevokedHere | null> {
	const { gateway, vault, vaultName, logStore } = accountOptions
	const stored = await vault.get(deviceEntry(vaultName))
	if (!stored) return null
	const log = await DeviceLog.open(gateway, logStore, { pin: false })
	const revoked = log.state.devices.get(decodeDevice(stored).record.id)?.revoked
	if (!revoked) return null
	const { by, at, reason } = revoked
	const revoker = log.state.devices.get(by)
	return { by, byName: null, at, reason, fingerprint: revoker ? fingerprint(revoker.record) : null }
}
