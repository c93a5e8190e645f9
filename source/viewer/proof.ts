import type { Account } from '../account/account.ts'
import { fromBase64 } from '../protocol/bytes.ts'
import { type Command, checkCommand } from '../protocol/command.ts'
import { StyrbyError } from '../protocol/errors.ts'

/**
 * The command that a host has kept as the proof of who sent it (base64), if `device` of the log has signed
 * it; else `null`.
 */
export function provenCommand(
	account: Account,
	device: string | null,
	proof: { bytes: string; signature: string } | null,
): Command | null {
	const state = device === null ? undefined : account.log.state.devices.get(device)
	if (!proof || !state) return null
	try {
		const signed = { bytes: fromBase64(proof.bytes), signature: fromBase64(proof.signature, 64) }
		return checkCommand(signed, state.record.id, fromBase64(state.record.sign, 32))
	} catch (error) {
		if (error instanceof StyrbyError) return null
		throw error
	}
}
