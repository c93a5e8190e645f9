/**
 * Whether a command that came in the mail may be obeyed, in the order of docs/protocol.md, section 6, as
 * far as that does not depend on the request it is about.
 */
import type { Account } from '../account/account.ts'
import type { MailRow } from '../backend/gateway.ts'
import { fromBase64 } from '../protocol/bytes.ts'
import { type Command, checkCommand, openCommand, type SignedCommand } from '../protocol/command.ts'
import type { DeviceRecord } from '../protocol/device.ts'
import { isActive } from '../protocol/device-log.ts'
import { exit, refused, StyrbyError } from '../protocol/errors.ts'

export type CheckedMail =
	| { ok: true; command: Command; signed: SignedCommand }
	/** Never to be obeyed. `command` only when a device of the log has signed it. */
	| { ok: false; error: StyrbyError; command: Command | null }

/**
 * Checks one boxed command. Throws only what is worth another try, such as `backend_unreachable`. The log
 * was pulled since the mail came where its sender is not in it.
 */
export async function checkMail(
	mail: MailRow,
	host: { account: Account; session: string },
): Promise<CheckedMail> {
	const { account, session } = host
	let command: Command | null = null
	try {
		const sender = senderOf(mail, account)
		const signed = openCommand(
			{ nonce: fromBase64(mail.nonce, 24), ciphertext: fromBase64(mail.ciphertext) },
			account.keys.sharedWith(sender),
		)
		command = checkCommand(signed, sender.id, fromBase64(sender.sign, 32))
		const own = command.to === account.device.record.id && command.session === session
		if (!own || command.id !== mail.id) {
			throw refused('command_moved', 'A command was moved here from another host or session.')
		}
		// Before its word on the log counts, and again with what it knows of the log.
		assertActive(account, command.by)
		await account.log.reach(command.log, command.by)
		assertActive(account, command.by)
		account.log.assertTrusted()
		return { ok: true, command, signed }
	} catch (error) {
		if (!(error instanceof StyrbyError) || error.exitCode !== exit.refused) throw error
		return { ok: false, error, command }
	}
}

function assertActive(account: Account, device: string): void {
	if (!isActive(account.log.state, device)) {
		throw refused('command_revoked_device', 'A command came from a device that was revoked.')
	}
}

function senderOf(mail: MailRow, account: Account): DeviceRecord {
	const sender = account.log.state.devices.get(mail.from)
	if (!sender) {
		throw refused(
			'command_unknown_device',
			'A command came from a device that is not in the device log.',
		)
	}
	return sender.record
}
