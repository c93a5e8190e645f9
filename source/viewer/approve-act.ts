import type { Account } from '../account/account.ts'
import { approvePairing, findPairing, type WaitingDevice } from '../account/pairing.ts'
import type { SharingOptions } from '../account/sharing.ts'
import type { ApproveAct, FoundPairing } from './devices.ts'

/** A device that waits under a code, and what is shown of it. */
export interface FoundDevice {
	waiting: WaitingDevice
	shown: FoundPairing
}

/** Throws the errors of `findPairing`. */
export async function lookFor(account: Account, code: string): Promise<FoundDevice> {
	const waiting = await findPairing(account, code)
	const { name, platform, fingerprint, at, registered } = waiting
	const already = registered && {
		by: registered.addedBy,
		byName: account.deviceName(registered.addedBy),
		own: registered.addedBy === account.device.record.id,
		at: registered.addedAt,
	}
	return { waiting, shown: { name, platform, fingerprint, at, already } }
}

/** Throws the errors of `approvePairing`. */
export async function approveFound(
	account: Account,
	{ waiting }: FoundDevice,
	options: SharingOptions,
): Promise<NonNullable<ApproveAct['result']>> {
	const { by, own, at, sessions, granted, unreadable } = await approvePairing(
		account,
		waiting,
		options,
	)
	return { by, byName: account.deviceName(by), own, at, sessions, granted, unreadable }
}
