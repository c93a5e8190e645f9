import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import type { OpenedViewer } from '../viewer/open-viewer.ts'
import type { RequestView } from '../viewer/viewer.ts'
import type { Invocation } from './command.ts'
import { type Context, openContext } from './context.ts'
import { finishDead } from './finish-dead.ts'
import { countWaiting, type Waiting, waitingLine, waits } from './permissions/waiting.ts'
import { nextRequest, watchCount, watchRequests } from './permissions/watch.ts'
import { requestJson, requestLines } from './request-lines.ts'
import { untilRevoked } from './until-revoked.ts'

const none = 'No agent waits for an answer.\n'

export async function run(invocation: Invocation): Promise<ExitCode> {
	const { flags, io } = invocation
	if (flags.has('brief') && (flags.has('all') || flags.has('wait'))) {
		throw new StyrbyError(
			'bad_usage',
			'--brief counts what waits now: it goes with --watch and --json only.',
			{ exitCode: exit.usage },
		)
	}
	await using context = await openContext(io)
	await finishDead(context)
	await using viewer = context.viewer()
	await viewer.ready
	if (flags.has('watch') || flags.has('wait')) return await follow(invocation, context, viewer)
	const hidden = await viewer.lookForHidden().catch(refusal)
	const requests = viewer.requests.get().filter((request) => flags.has('all') || waits(request))
	if (flags.has('brief')) printer(invocation).count(countWaiting(requests, { state: 'live' }))
	else list(invocation, requests)
	context.account.log.assertTrusted()
	if (hidden) throw hidden
	const bad = requests.find(({ problem }) => problem !== null)
	if (bad) {
		const problem = `Request ${bad.id.slice(0, 8)} can not be approved: ${bad.problem}.`
		throw refused('request_not_verified', problem)
	}
	return exit.done
}

function printer({ flags, io }: Invocation) {
	const json = flags.has('json')
	const write = (text: string) => void io.stdout.write(`${text}\n`)
	return {
		request(request: RequestView) {
			if (json) write(jsonText(requestJson(request)))
			else write(requestLines(request, io.now(), io.stdout.columns ?? 100))
		},
		count(waiting: Waiting) {
			write(json ? jsonText(waiting) : waitingLine(waiting))
		},
	}
}

function list(invocation: Invocation, requests: readonly RequestView[]): void {
	const { flags, io } = invocation
	if (flags.has('json')) {
		io.stdout.write(`${jsonText({ permissions: requests.map(requestJson) })}\n`)
	} else if (requests.length === 0) io.stdout.write(none)
	else requests.forEach(printer(invocation).request)
}

async function follow(
	invocation: Invocation,
	context: Context,
	viewer: OpenedViewer,
): Promise<ExitCode> {
	const { flags, io } = invocation
	const print = printer(invocation)
	const { keepBackend } = await import('./keep-backend.ts')
	await using _ = keepBackend(context)
	using gone = untilRevoked(context.account)
	const brief = flags.has('brief')
	if (io.stderr.isTTY && !flags.has('json') && !brief) {
		io.stderr.write('Waiting for requests; Ctrl-C ends it.\n')
	}
	const followed = brief
		? watchCount(viewer, print.count)
		: flags.has('wait')
			? nextRequest(viewer.requests, print.request)
			: watchRequests(viewer.requests, { changes: flags.has('all'), print: print.request })
	return await Promise.race([followed, gone.revoked])
}

/** What is found wrong is told once all else was shown. */
function refusal(error: unknown): StyrbyError {
	if (error instanceof StyrbyError && error.exitCode === exit.refused) return error
	throw error
}
