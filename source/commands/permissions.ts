import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import type { RequestView } from '../viewer/viewer.ts'
import type { Invocation } from './command.ts'
import { openContext } from './context.ts'
import { finishDead } from './finish-dead.ts'
import { requestJson, requestLines } from './request-lines.ts'
import { untilRevoked } from './until-revoked.ts'

const none = 'No agent waits for an answer.\n'

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const width = io.stdout.columns ?? 100
	const json = flags.has('json')
	await using context = await openContext(io)
	await finishDead(context)
	await using viewer = context.viewer()
	await viewer.ready
	// What the server says was decided, and no host has signed, may well be waiting.
	const waits = ({ status, body, decided }: RequestView) =>
		status === 'pending' || (body !== null && decided === null)
	const shown = (request: RequestView) => flags.has('all') || waits(request)
	const print = (request: RequestView) => {
		const text = json
			? `${JSON.stringify(requestJson(request))}\n`
			: `${requestLines(request, io.now(), width)}\n`
		io.stdout.write(text)
	}
	if (flags.has('watch') || flags.has('wait')) {
		if (io.stderr.isTTY && !json) io.stderr.write('Waiting for requests; Ctrl-C ends it.\n')
		using gone = untilRevoked(context.account)
		const watched = watch(viewer.requests, { once: flags.has('wait'), print })
		return await Promise.race([watched, gone.revoked])
	}
	const hidden = await viewer.lookForHidden().catch(refusal)
	const requests = viewer.requests.get().filter(shown)
	if (json) io.stdout.write(`${JSON.stringify({ permissions: requests.map(requestJson) })}\n`)
	else if (requests.length === 0) io.stdout.write(none)
	else requests.forEach(print)
	context.account.log.assertTrusted()
	if (hidden) throw hidden
	const bad = requests.find(({ problem }) => problem !== null)
	if (bad) {
		const problem = `Request ${bad.id.slice(0, 8)} can not be approved: ${bad.problem}.`
		throw refused('request_not_verified', problem)
	}
	return exit.done
}

/** What is found wrong is told once all else was shown. */
function refusal(error: unknown): StyrbyError {
	if (error instanceof StyrbyError && error.exitCode === exit.refused) return error
	throw error
}

/** Prints each request once it waits; ends with the first one, or with ctrl-c. */
function watch(
	requests: { get(): readonly RequestView[]; subscribe(listener: () => void): () => void },
	options: { once: boolean; print(request: RequestView): void },
): Promise<ExitCode> {
	return new Promise((resolve) => {
		const seen = new Set<string>()
		const look = () => {
			for (const request of requests.get()) {
				if (request.status !== 'pending' || seen.has(request.id)) continue
				seen.add(request.id)
				options.print(request)
				if (options.once) {
					stop()
					resolve(exit.done)
					return
				}
			}
		}
		const stop = requests.subscribe(look)
		process.once('SIGINT', () => {
			stop()
			resolve(exit.interrupted)
		})
		look()
	})
}
