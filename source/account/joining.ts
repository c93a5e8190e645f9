/** The new device's side of pairing (docs/protocol.md, section 3). */
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import type { PostedPairing } from '../backend/gateway.ts'
import { nonceSize, randomBytes } from '../protocol/box.ts'
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import {
	createDevice,
	type Device,
	decodeDevice,
	encodeDevice,
	fingerprint,
} from '../protocol/device.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { decodeJson, encodeJson, isoTime, version } from '../protocol/json.ts'
import {
	checkPairedLog,
	openPairingAnswer,
	pairingLife,
	sealPairingRequest,
} from '../protocol/pairing.ts'
import { makePairingCode, pairingKeys, parsePairingCode } from '../protocol/pairing-code.ts'
import { Account, type AccountOptions } from './account.ts'
import { deviceEntry } from './device-entry.ts'
import { DeviceLog } from './device-log.ts'

export interface Offer {
	/** For the person to type on a registered device. */
	code: string
	fingerprint: string
	/** ms since 1970. */
	expiresAt: number
	/**
	 * Resolves to the account once this device was let in. Throws `pairing_expired`,
	 * `pairing_false_account` and `pairing_altered` (exit 4), and what `signal` aborts with.
	 */
	wait(signal?: AbortSignal): Promise<Account>
	/**
	 * Takes the request back, where it is not too late: resolves to the account when this device was let in.
	 * `under way`: a device is letting it in and has not answered yet, and the request stands. `too late`:
	 * taken back while it was let in, so that nothing will come of it here. Throws what `wait` does.
	 */
	cancel(): Promise<Account | Cancelled>
}

export type Cancelled = 'taken back' | 'under way' | 'too late'

export interface OfferOptions extends AccountOptions {
	/** What the system calls itself, such as `linux`. */
	platform: string
	/** ms between two looks. */
	lookEvery?: number
}

/** Until the answer was checked the device counts for nothing; the code is what checks it. */
const joiningSchema = v.object({ v: version, device: base64Json(), code: v.string(), at: isoTime })

function base64Json() {
	return v.pipe(v.string(), v.base64(), v.maxLength(2000))
}

const entryOf = (vaultName: string) => `${vaultName}:joining`
const lookEvery = 1000

/**
 * Posts a request to join. One that was cut off while it is still good is taken up again, with its code:
 * the other side may have let it in meanwhile. Throws `already_registered` when this home has a device of
 * the account, `nothing_to_join` when the account has none at all.
 */
export async function offerPairing(options: OfferOptions): Promise<Offer> {
	await assertJoinable(options)
	const { gateway } = options
	const begun = (await resume(options)) ?? (await begin(options))
	const keys = pairingKeys(parsePairingCode(begun.code))
	const id = toBase64(keys.id)
	return {
		code: begun.code,
		fingerprint: fingerprint(begun.device.record),
		expiresAt: begun.at + pairingLife,
		async wait(signal) {
			for (;;) {
				const row = await gateway.readPairing(id)
				// By this clock: a server may keep an answer for longer than the code was to be kept secret.
				if (!row || options.now().getTime() > begun.at + pairingLife) throw await expired(options)
				if (row.answer) return await enter(options, begun.device, keys, row.answer)
				await sleep(options.lookEvery ?? lookEvery, undefined, signal ? { signal } : {})
			}
		},
		async cancel() {
			const row = await gateway.readPairing(id)
			if (row?.answer) return await enter(options, begun.device, keys, row.answer)
			// Who lets a device in signs for it first, and answers when it has handed over the keys.
			if (await isAdded(options, begun.device)) return 'under way'
			await gateway.deletePairing(id)
			await options.vault.delete(entryOf(options.vaultName))
			return (await isAdded(options, begun.device)) ? 'too late' : 'taken back'
		},
	}
}

/** By the log that the server shows; the answer, which would prove it, is not there. */
async function isAdded({ gateway, logStore }: OfferOptions, { record }: Device): Promise<boolean> {
	try {
		const log = await DeviceLog.open(gateway, logStore, { pin: false })
		return log.state.devices.get(record.id)?.revoked === null
	} catch (error) {
		// A log that does not verify says nothing.
		if (error instanceof StyrbyError && error.exitCode === exit.refused) return false
		throw error
	}
}

async function assertJoinable({
	gateway,
	logStore,
	vault,
	vaultName,
}: OfferOptions): Promise<void> {
	const log = await DeviceLog.open(gateway, logStore, { pin: false })
	if (log.state.hashes.length === 0) {
		throw new StyrbyError(
			'nothing_to_join',
			'This account has no device yet: run "styrby-tui" here, and this becomes its first.',
		)
	}
	const stored = await vault.get(deviceEntry(vaultName))
	const known = stored && log.state.devices.get(decodeDevice(stored).record.id)
	if (known && !known.revoked) {
		throw new StyrbyError(
			'already_registered',
			'This device is registered with the account already: see "styrby-tui devices".',
		)
	}
}

interface Begun {
	device: Device
	code: string
	/** ms since 1970. */
	at: number
}

async function resume(options: OfferOptions): Promise<Begun | null> {
	const { vault, vaultName, gateway, now } = options
	const kept = await vault.get(entryOf(vaultName))
	if (!kept) return null
	const joining = decodeJson(kept, joiningSchema, 'joining')
	const at = Date.parse(joining.at)
	const keys = pairingKeys(parsePairingCode(joining.code))
	const row = await gateway.readPairing(toBase64(keys.id))
	const left = at + pairingLife - now().getTime()
	// What nobody has answered and is nearly over is not worth going on with.
	if (!row || left < (row.answer ? 0 : pairingLife / 4)) return null
	return { device: decodeDevice(fromBase64(joining.device)), code: joining.code, at }
}

async function begin(options: OfferOptions): Promise<Begun> {
	const { vault, vaultName, gateway, deviceName: name, platform } = options
	const random = options.random ?? randomBytes
	const device = createDevice(random)
	const code = makePairingCode(random)
	const at = options.now().toISOString()
	const joining = { v: 1, device: toBase64(encodeDevice(device)), code, at }
	await vault.set(entryOf(vaultName), encodeJson(joining))
	const keys = pairingKeys(parsePairingCode(code))
	const about = { account: gateway.account, name, platform, at }
	const sealed = sealPairingRequest(keys, device, about, random(nonceSize))
	await gateway.postPairing({
		id: toBase64(keys.id),
		nonce: toBase64(sealed.nonce),
		ciphertext: toBase64(sealed.ciphertext),
	})
	return { device, code, at: Date.parse(at) }
}

/** The log is pinned only after it was found to be the one that the answer was given from. */
async function enter(
	options: OfferOptions,
	device: Device,
	keys: ReturnType<typeof pairingKeys>,
	sealed: NonNullable<PostedPairing['answer']>,
): Promise<Account> {
	const { vault, vaultName, gateway } = options
	const answer = openPairingAnswer(keys, {
		nonce: fromBase64(sealed.nonce, 24),
		ciphertext: fromBase64(sealed.ciphertext),
	})
	const log = await DeviceLog.open(gateway, options.logStore, { pin: false })
	checkPairedLog(answer, log.state, device.record)
	await log.pin()
	await vault.set(deviceEntry(vaultName), encodeDevice(device))
	await vault.delete(entryOf(vaultName))
	const account = await Account.open(options)
	await gateway.deletePairing(toBase64(keys.id))
	return account
}

async function expired({ vault, vaultName }: OfferOptions): Promise<StyrbyError> {
	await vault.delete(entryOf(vaultName))
	return new StyrbyError(
		'pairing_expired',
		'Nobody has approved this device in ten minutes: begin again for another code.',
	)
}
