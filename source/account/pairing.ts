/** Pairing (docs/protocol.md, section 3): how a device asks to join, and how a registered one lets it in. */
import { nonceSize } from '../protocol/box.ts'
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import { type DeviceRecord, fingerprint } from '../protocol/device.ts'
import { type DeviceState, headOf } from '../protocol/device-log.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import { openPairingRequest, sealPairingAnswer } from '../protocol/pairing.ts'
import { type PairingKeys, pairingKeys, parsePairingCode } from '../protocol/pairing-code.ts'
import type { Account } from './account.ts'
import { addDevice, registration } from './adding.ts'
import { type Shared, type SharingOptions, shareHistory } from './sharing.ts'

/** A device that waits under a code. Its name and platform are its own words. */
export interface WaitingDevice {
	record: DeviceRecord
	fingerprint: string
	name: string
	platform: string
	at: string
	/** How the log has it already: another device was faster, or an approval was cut off. */
	registered: DeviceState | null
	keys: PairingKeys
	/** Its consent, 64 bytes. */
	join: Uint8Array
}

/**
 * The device behind a typed code. Throws `bad_pairing_code` (exit 2), `no_such_pairing`, `pairing_expired`,
 * `device_taken`, and what `openPairingRequest` throws (exit 4).
 */
export async function findPairing(account: Account, code: string): Promise<WaitingDevice> {
	const keys = pairingKeys(parsePairingCode(code))
	const row = await account.gateway.readPairing(toBase64(keys.id))
	if (!row) {
		throw new StyrbyError(
			'no_such_pairing',
			'No device waits under this code: look at it again, or begin again there (a code is good for ten minutes).',
		)
	}
	const sealed = { nonce: fromBase64(row.nonce, 24), ciphertext: fromBase64(row.ciphertext) }
	const now = account.now().getTime()
	const { device, name, platform, at, join } = openPairingRequest(keys, sealed, account.id, now)
	const log = await account.log.refresh()
	return {
		record: device,
		fingerprint: fingerprint(device),
		name,
		platform,
		at,
		registered: registration(log, device),
		keys,
		join: fromBase64(join, 64),
	}
}

export interface Approval extends Shared {
	/** Who added it: this device, or one that was faster. */
	by: string
	at: string
	own: boolean
	/**
	 * The answer waits for the new device. `false`: it waits no longer, since it has had one already, or the
	 * ten minutes are over; then it has to begin again.
	 */
	answered: boolean
}

/**
 * Lets a waiting device in: appends `add`, hands it every key that this device holds, and answers. `name`
 * is what the device is to be called. Cut off, it is finished by repeating it, here or on another device;
 * where two do it at once, the entry that comes first in the log stands. Throws the `problem` of the log,
 * `device_taken`, `device_revoked` (exit 3) when this device was.
 */
export async function approvePairing(
	account: Account,
	waiting: WaitingDevice,
	options: SharingOptions & { name?: string } = {},
): Promise<Approval> {
	const { record, join, keys } = waiting
	const name = options.name ?? waiting.name
	const added = await addDevice(account, { record, name, join })
	const shared = await shareHistory(account, record, options)
	const answered = await answer(account, keys)
	const { addedBy: by, addedAt: at } = added
	return { ...shared, by, at, own: by === account.device.record.id, answered }
}

async function answer(account: Account, keys: PairingKeys): Promise<boolean> {
	const { state } = account.log
	const genesis = state.hashes[0]
	if (genesis === undefined) throw refused('log_empty', 'The device log has no entry yet.')
	const sealed = sealPairingAnswer(
		keys,
		{ account: account.id, genesis, log: headOf(state), by: account.device.record },
		account.random(nonceSize),
	)
	try {
		await account.gateway.answerPairing({
			id: toBase64(keys.id),
			nonce: toBase64(sealed.nonce),
			ciphertext: toBase64(sealed.ciphertext),
		})
		return true
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		// Another device that approved the same code has answered: it says the same.
		if (error.code === 'pairing_answered') return true
		if (error.code === 'no_such_pairing') return false
		throw error
	}
}
