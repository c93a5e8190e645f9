import type { Account } from '../account/account.ts'
import { approvePairing, findPairing, type WaitingDevice } from '../account/pairing.ts'
import type { SharingOptions } from '../account/sharing.ts'
import { activeDevices } from '../protocol/device-log.ts'
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
	const as = already ? name : freeName(account, name)
	return { waiting, shown: { name, as, platform, fingerprint, at, already } }
}

/** Machines are often called alike; whoever revokes one by its name is to mean that one. */
function freeName(account: Account, name: string): string {
	const taken = new Set(
		activeDevices(account.log.state).map(({ record }) => account.deviceName(record.id)),
	)
	if (!taken.has(name)) return name
	for (let number = 2; ; number++) {
		const numbered = `${name} ${number}`
		if (!taken.has(numbered)) return numbered
	}
}

/** Throws the errors of `approvePairing`. */
export async function approveFound(
	account: Account,
	{ waiting, shown }: FoundDevice,
	options: SharingOptions,
): Promise<NonNullable<ApproveAct['result']>> {
	const { by, own, at, sessions, granted, unreadable } = await approvePairing(account, waiting, {
		...options,
		name: shown.as,
	})
	return { by, byName: account.deviceName(by), own, at, sessions, granted, unreadable }
}
