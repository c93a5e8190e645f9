import type { Account } from '../account/account.ts'
import { planRevocation, revokeDevice } from '../account/revoking.ts'
import type { Progress, RevokeAct } from './devices.ts'

/** What revoking a device would do. Throws `no_such_device`. */
export async function planned(
	account: Account,
	device: string,
): Promise<NonNullable<RevokeAct['plan']>> {
	const { live, last, readable } = await planRevocation(account, device)
	const named = live.map(({ session, host, own }) => ({
		session,
		hostName: hostName(account, host),
		own,
	}))
	return { live: named, last, readable }
}

/** Does it. Throws the errors of `revokeDevice`. */
export async function revokePlanned(
	account: Account,
	device: string,
	options: {
		reason: string | null
		signal: AbortSignal
		onProgress(progress: Progress): void
	},
): Promise<NonNullable<RevokeAct['report']>> {
	const { by, own, at, accountEpoch, sessions, grantsAfter, complete } = await revokeDevice(
		account,
		device,
		{
			reason: options.reason,
			signal: options.signal,
			onProgress: ({ rekeyed, total }) => options.onProgress({ done: rekeyed, total }),
		},
	)
	const named = sessions.map(({ session, host, own: hosted, epoch, rekeyed }) => ({
		session,
		hostName: hostName(account, host),
		own: hosted,
		epoch,
		rekeyed,
	}))
	const byName = account.deviceName(by)
	return { by, byName, own, at, accountEpoch, sessions: named, grantsAfter, complete }
}

function hostName(account: Account, host: string | null): string | null {
	return host === null ? null : account.deviceName(host)
}
