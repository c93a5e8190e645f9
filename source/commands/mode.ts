/** `mode`: puts an agent in another permission mode, or says which there are. */
import { StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import { readFacts } from '../viewer/facts.ts'
import { unaskedIn } from '../viewer/modes.ts'
import { SessionReader } from '../viewer/session-reader.ts'
import type { Invocation } from './command.ts'
import { sendTo } from './send.ts'

export async function run(invocation: Invocation) {
	const { args, flags, io } = invocation
	return sendTo(invocation, async ({ account, gateway }, session) => {
		const reader = new SessionReader(account, session)
		const { takes, mode, asks } = await readFacts(
			reader,
			reader.through(await gateway.readSession(session)),
		)
		const modes = takes?.modes ?? []
		const wanted = args[1]
		if (wanted !== undefined) {
			if (modes.includes(wanted)) return { kind: 'mode', mode: wanted }
			const which =
				modes.length === 0
					? 'its mode can be changed only where it runs'
					: `it is one of ${modes.join(', ')}`
			throw new StyrbyError(
				'no_such_mode',
				`This session does not take the mode: ${revealText(which)}.`,
			)
		}
		if (flags.has('json')) {
			io.stdout.write(`${jsonText({ session, mode, asks, modes })}\n`)
			return null
		}
		for (const name of new Set([...(mode === null ? [] : [mode]), ...modes])) {
			const now = name === mode ? '  (now)' : ''
			const unasked = unaskedIn(name)
			const warning = unasked === null ? '' : `  ⚠ ${unasked} unasked`
			io.stdout.write(`${revealText(name)}${now}${warning}\n`)
		}
		return null
	})
}
