/** `prompt`, `interrupt` and `mode`: something for an agent, and what became of it. */
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import type { Sending } from '../viewer/viewer.ts'
import type { Invocation } from './command.ts'
import { type Context, openContext } from './context.ts'
import { findSession } from './find.ts'
import { finishDead } from './finish-dead.ts'
import { printStages } from './stages.ts'

/**
 * Sends what `what` makes to the session that the invocation names; `null`: there is nothing to send. Exit
 * code 1 when the agent did not take it.
 */
export async function sendTo(
	invocation: Invocation,
	what: (context: Context, session: string) => Promise<Sending | null>,
): Promise<ExitCode> {
	const { args, flags, io } = invocation
	const json = flags.has('json')
	await using context = await openContext(io)
	await finishDead(context)
	const session = await findSession(context.account, args[0] ?? '')
	const sending = await what(context, session)
	if (sending === null) return exit.done
	await using viewer = context.viewer({ waitMs: (flags.number('wait') ?? 10) * 1000 })
	await viewer.ready
	const sent = viewer.send(session, sending)
	if (!json) printStages(io, sent)
	const { stage, stages, why } = await sent.done
	const by_host_at = stages.find((one) => one.stage === 'obeyed')?.at ?? null
	const accepted = stage === 'obeyed'
	const { kind } = sending
	if (json) io.stdout.write(`${jsonText({ session, kind, accepted, by_host_at, stage, why })}\n`)
	else if (stage === 'stored' && why) io.stdout.write(`  ${revealText(why)}\n`)
	return accepted ? exit.done : exit.failed
}

const longest = 100_000

/** The text of a prompt: the argument, or for `-` all of stdin. Throws `bad_usage` (exit 2). */
export async function promptText({ args, io }: Invocation): Promise<string> {
	const given = args[1] ?? ''
	const text = (given === '-' ? await allOf(io.stdin) : given).trim()
	if (text === '' || text.length > longest) {
		const problem = text === '' ? 'There is nothing in it' : 'It is too long'
		throw new StyrbyError('bad_usage', `${problem}: a prompt has 1 to ${longest} characters.`, {
			exitCode: exit.usage,
		})
	}
	return text
}

async function allOf(stdin: NodeJS.ReadableStream): Promise<string> {
	const chunks: Buffer[] = []
	let size = 0
	for await (const chunk of stdin) {
		chunks.push(Buffer.from(chunk))
		size += chunk.length
		// More can't be a prompt; whoever writes it may never end.
		if (size > longest * 4) break
	}
	return Buffer.concat(chunks).toString('utf8')
}
