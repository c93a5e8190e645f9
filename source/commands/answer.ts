/** `approve` and `deny`: one request, one answer, and what became of it. */
import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import type { DecisionState, RequestView, Stage } from '../viewer/viewer.ts'
import { answerLines, answersOf } from './answers.ts'
import { askYes, confirmationNeeded } from './ask.ts'
import type { Invocation } from './command.ts'
import { openContext } from './context.ts'
import { findRequest } from './find.ts'
import { finishDead } from './finish-dead.ts'
import { isInteractive } from './io.ts'
import { requestLines } from './request-lines.ts'
import { printStages } from './stages.ts'

/** Answers the request that the invocation names. Exit code 1 when the answer did not come to effect. */
export async function answer(
	invocation: Invocation,
	decision: 'allow' | 'deny',
): Promise<ExitCode> {
	const { args, flags, io } = invocation
	const json = flags.has('json')
	if (!flags.has('yes') && !isInteractive(io)) {
		throw confirmationNeeded('--yes (and --expect DIGEST to be sure which request it is)')
	}
	const waitMs = (flags.number('wait') ?? 10) * 1000
	await using context = await openContext(io)
	await finishDead(context)
	const id = await findRequest(context.gateway, args[0] ?? '')
	await using viewer = context.viewer({ waitMs })
	await viewer.ready
	const request = viewer.requests.get().find((one) => one.id === id)
	if (!request) throw new StyrbyError('no_such_request', 'There is no such permission request.')
	const expected = flags.text('expect')
	if (expected !== undefined && expected !== request.digest) {
		throw refused(
			'request_changed',
			'This is not the request that was looked at: nothing was sent.',
		)
	}
	if (decision === 'allow' && request.status === 'pending' && request.problem !== null) {
		throw refused(
			'request_not_verified',
			`This request can not be approved, only denied: ${request.problem}.`,
		)
	}
	const input = decision === 'allow' ? answersOf(request, flags.texts('answer')) : undefined
	if (!json) io.stdout.write(requestLines(request, io.now(), io.stdout.columns ?? 100))
	if (request.status !== 'pending') return alreadyDecided(invocation, request, decision)
	if (input && !json) io.stdout.write(answerLines(input))
	const question = input ? 'Send this answer?' : decision === 'allow' ? 'Allow this?' : 'Deny this?'
	const meaning = 'nothing was sent, the request still waits'
	if (!flags.has('yes') && !(await askYes(io, question, meaning))) {
		io.stderr.write('styrby-tui: nothing was sent; the request still waits.\n')
		return exit.failed
	}
	const reason = flags.text('reason')
	const tracked = viewer.decide(request, {
		decision,
		scope: flags.text('scope') === 'session' ? 'session' : 'once',
		...(reason === undefined ? {} : { reason }),
		...(input === undefined ? {} : { input }),
	})
	if (!json) printStages(io, tracked)
	const state = await tracked.done
	if (json) io.stdout.write(`${jsonText(resultJson(state, decision))}\n`)
	else if (!isEnd(state.stage) && state.why) io.stdout.write(`  ${revealText(state.why)}\n`)
	return took(state) ? exit.done : state.stage === 'refused' ? exit.refused : exit.failed
}

const isEnd = (stage: Stage) => !['sent', 'stored', 'verified'].includes(stage)

/** Verified by the host, and not found to be too late afterwards. */
function took({ stage, stages }: DecisionState): boolean {
	return stage !== 'withdrawn' && stages.some((one) => one.stage === 'verified')
}

function resultJson(state: DecisionState, decision: 'allow' | 'deny') {
	const verified = state.stages.find(({ stage }) => stage === 'verified')
	return {
		request: state.request,
		decision,
		accepted: took(state),
		by_host_at: verified?.at ?? null,
		stage: state.stage,
		winner: state.winner,
		why: state.why,
	}
}

const endOf: Readonly<Record<string, Stage>> = { expired: 'expired', cancelled: 'withdrawn' }

function alreadyDecided(
	{ flags, io }: Invocation,
	request: RequestView,
	decision: 'allow' | 'deny',
): ExitCode {
	const { decided } = request
	const who = decided?.by === 'device' ? (decided.name ?? decided.device) : null
	const why = `it is ${request.status} already${who === null ? '' : ` (by ${who})`}`
	if (flags.has('json')) {
		const base = { request: request.id, decision, accepted: false, by_host_at: null }
		const stage = endOf[request.status] ?? 'lost'
		io.stdout.write(`${jsonText({ ...base, stage, winner: null, why })}\n`)
	} else {
		io.stderr.write(`styrby-tui: this request was not answered: ${revealText(why)}.\n`)
	}
	return exit.failed
}
