/** Which device sent a prompt, an interrupt or a mode, by the signed command that the host has kept. */
import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import type { Body } from '../protocol/events.ts'
import { provenCommand } from './proof.ts'
import type { Sender, ShownMessage } from './viewer.ts'

const dataSchema = v.object({
	command: v.string(),
	kind: v.picklist(['prompt', 'interrupt', 'mode', 'take_back']),
	by: v.string(),
	bytes: v.string(),
	signature: v.string(),
})

/** Of a message that records a command; `null` for any other. */
export function senderOf(account: Account, message: ShownMessage): Sender | null {
	if (message.kind !== 'system' || message.problem !== null || !message.body) return null
	const { type, data } = message.body as Body<'system'>
	const said = type === 'command' ? v.safeParse(dataSchema, data) : null
	if (!said?.success) return null
	const { by, kind, command: id } = said.output
	const command = provenCommand(account, by, said.output)
	const fits = command?.id === id && command.kind === kind && command.session === message.session
	return {
		device: by,
		name: account.deviceName(by),
		kind,
		text: !fits
			? null
			: command.kind === 'prompt'
				? command.body.text
				: command.kind === 'mode'
					? command.body.mode
					: null,
		verified: message.verified && fits,
		became: null,
	}
}

const bare = (text: string) => text.replaceAll(/\s+/g, ' ').trim()

/**
 * Senders by the number of the message that records the command, and by that of the prompt it became: the
 * first one with its words which is not another's.
 */
export function sendersOf(
	account: Account,
	messages: readonly ShownMessage[],
): ReadonlyMap<number, Sender> {
	const senders = new Map<number, Sender>()
	const prompts: { seq: number; text: string; sender: Sender }[] = []
	for (const message of messages) {
		const sender = senderOf(account, message)
		if (!sender) continue
		senders.set(message.seq, sender)
		if (sender.kind === 'prompt' && sender.text !== null) {
			prompts.push({ seq: message.seq, text: bare(sender.text), sender })
		}
	}
	for (const { kind, body, problem, seq } of messages) {
		if (kind !== 'user_prompt' || problem !== null || !body) continue
		const prompt = body as Body<'user_prompt'>
		if (prompt.source !== 'viewer') continue
		const at = prompts.findIndex(({ text }) => text === bare(prompt.text))
		const [found] = at < 0 ? [] : prompts.splice(at, 1)
		if (!found) continue
		const sender = { ...found.sender, became: seq }
		senders.set(found.seq, sender).set(seq, sender)
	}
	return senders
}
