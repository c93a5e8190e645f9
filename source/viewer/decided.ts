/** Who decided a request: the host's signed answer, and the device's signature inside it. */
import type { Account } from '../account/account.ts'
import { type Command, unseenDigest } from '../protocol/command.ts'
import type { Body } from '../protocol/events.ts'
import type { CheckedMessage } from './checked-message.ts'
import { provenCommand } from './proof.ts'
import type { SessionReader } from './session-reader.ts'
import type { Decided } from './viewer.ts'

/** How far behind an answer the agent's word may stand that it had one of its own. */
const correctionReach = 200

/** Messages looked through for the answer to a request at most. */
const reach = 5_000

/** The command inside of an answer, if a device of the log signed it for this request. */
export function decidingCommand(
	account: Account,
	response: Body<'permission_response'>,
): Extract<Command, { kind: 'decision' }> | null {
	const checked = provenCommand(account, response.device, response.command)
	const fits = checked?.kind === 'decision' && checked.body.request === response.request
	return fits ? checked : null
}

/** What an answer says, and whether the device's own signature bears it out. */
export function decidedBy(
	account: Account,
	message: CheckedMessage,
	request: { session: string; digest: string | null },
): Decided | null {
	if (message.kind !== 'permission_response' || !message.body) return null
	const response = message.body as Body<'permission_response'>
	const command = decidingCommand(account, response)
	const { by, device, result, scope, reason } = response
	const agrees =
		command?.session === request.session &&
		(command.body.digest === request.digest ||
			(command.body.decision === 'deny' && command.body.digest === unseenDigest)) &&
		(command.body.decision === 'allow') === (result === 'approved')
	const name = device === null ? null : account.deviceName(device)
	const verified = message.verified && (by !== 'device' || agrees)
	const input = verified && agrees ? (command.body.input ?? null) : null
	return { by, device, name, result, scope, reason, input, at: message.at, verified }
}

/** Looks for the answer to a request behind it in its session. */
export async function findAnswer(
	reader: SessionReader,
	request: { id: string; seq: number; through: number },
): Promise<CheckedMessage | null> {
	const end = Math.min(request.through, request.seq + reach)
	let answer: CheckedMessage | null = null
	for await (const message of reader.all(request.seq - 1, end)) {
		if (answer && message.seq > answer.seq + correctionReach) break
		if (message.kind !== 'permission_response' || !message.body) continue
		if ((message.body as Body<'permission_response'>).request === request.id) answer = message
	}
	return answer
}
