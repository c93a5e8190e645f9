/** `verify`: what the server can see of a message, and whether all that it holds is as it was sealed. */
import { WireTap } from '../backend/wire-tap.ts'
import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import {
	checkDeviceLog,
	checkSessions,
	findIntruders,
	type HistoryProblem,
	type Intruder,
	type LogCheck,
} from '../viewer/history-check.ts'
import { alone } from './alone.ts'
import type { Invocation } from './command.ts'
import { type Context, openContext } from './context.ts'
import { widthOf } from './hanging.ts'
import { Progress } from './progress.ts'
import { placeOf, verdictText } from './verify/text.ts'
import { checkWire, type WireCheck } from './verify/wire.ts'

/** What `--json` prints; a shape that scripts depend on. */
export interface Verdict {
	verified: boolean
	/** `null` when nothing was sent, since what this device sent before does not verify. */
	wire: WireCheck | null
	wire_problem: string | null
	log: LogCheck
	intruders: Intruder[]
	sessions: number
	messages: number
	problems: HistoryProblem[]
}

/** Exit code 4 when anything does not verify. */
export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const taps: WireTap[] = []
	try {
		await using context = await openContext(io, {
			async route(endpoint) {
				const tap = await WireTap.open(endpoint)
				taps.push(tap)
				return tap.endpoint
			},
		})
		const [tap] = taps
		if (!tap) throw new TypeError('the context was opened by another way')
		const verdict = await verify(context, tap)
		io.stdout.write(
			flags.has('json') ? `${jsonText(verdict)}\n` : verdictText(verdict, widthOf(io.stdout)),
		)
		if (!verdict.verified) throw notVerified(verdict)
		return exit.done
	} finally {
		for (const tap of taps) await tap[Symbol.asyncDispose]()
	}
}

async function verify(context: Context, tap: WireTap): Promise<Verdict> {
	const { account, home, io } = context
	using progress = new Progress(io, 'verifying')
	progress.show('sending a sentence, and looking for it on the wire')
	const { wire, problem } = await alone(home, 'verify')(() => tryWire(context, tap))
	progress.show('the device log')
	const log = await checkDeviceLog(account)
	const intruders = await findIntruders(account)
	const { sessions, messages, problems } = await checkSessions(account, (done) =>
		progress.show(`${done.sessions} sessions, ${done.messages} messages`),
	)
	const wireHolds = wire !== null && wire.leaks.length === 0 && wire.row_seen
	return {
		verified: wireHolds && log.verified && intruders.length === 0 && problems.length === 0,
		wire,
		wire_problem: problem,
		log,
		intruders,
		sessions,
		messages,
		problems,
	}
}

/** Where the earlier sentences do not verify, no more is added to them; the check of the history says why. */
async function tryWire(
	context: Context,
	tap: WireTap,
): Promise<{ wire: WireCheck | null; problem: string | null }> {
	try {
		return { wire: await checkWire(context, tap), problem: null }
	} catch (error) {
		if (!(error instanceof StyrbyError) || error.exitCode !== exit.refused) throw error
		return { wire: null, problem: error.message }
	}
}

function notVerified({ wire, wire_problem, log, intruders, problems }: Verdict): StyrbyError {
	const first =
		problems[0] === undefined
			? (log.problem ??
				(intruders[0] && `device ${intruders[0].id} is not in the device log`) ??
				wire_problem ??
				(wire?.leaks[0] && `${wire.leaks[0].what} crossed the wire`) ??
				'the sealed row was not seen on the wire')
			: `${placeOf(problems[0])}: ${problems[0].problem}`
	const more = problems.length > 1 ? `, and ${problems.length - 1} more` : ''
	return refused(
		'not_verified',
		`Not everything verifies (${first}${more}): trust none of that until you know why.`,
	)
}
