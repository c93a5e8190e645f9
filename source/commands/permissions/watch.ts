/** Follows permission requests until it is told to end. */
import { type ExitCode, exit } from '../../protocol/errors.ts'
import type { Readable, RequestView, Viewer } from '../../viewer/viewer.ts'
import { countWaiting, type Waiting } from './waiting.ts'

/** Prints each request once it waits; with `changes` again, when it is over. Ends with ctrl-c. */
export function watchRequests(
	requests: Readable<readonly RequestView[]>,
	{ changes, print }: { changes: boolean; print(request: RequestView): void },
): Promise<ExitCode> {
	const known = new Map<string, RequestView['status']>()
	return whileFollowing([requests], () => {
		for (const request of requests.get()) {
			const before = known.get(request.id)
			if (before === request.status) continue
			known.set(request.id, request.status)
			if (request.status === 'pending' || (changes && before !== undefined)) print(request)
		}
	})
}

/** Prints the first request that waits, and ends. */
export function nextRequest(
	requests: Readable<readonly RequestView[]>,
	print: (request: RequestView) => void,
): Promise<ExitCode> {
	return whileFollowing([requests], () => {
		const next = requests.get().find(({ status }) => status === 'pending')
		if (!next) return
		print(next)
		return exit.done
	})
}

/** Prints how many wait, now and whenever that is another number. Ends with ctrl-c. */
export function watchCount(
	{ requests, connection }: Pick<Viewer, 'requests' | 'connection'>,
	print: (waiting: Waiting) => void,
): Promise<ExitCode> {
	let before = ''
	return whileFollowing([requests, connection], () => {
		const waiting = countWaiting(requests.get(), connection.get())
		const now = JSON.stringify(waiting)
		if (now === before) return
		before = now
		print(waiting)
	})
}

/** Looks now and at every change, until `look` says how it ends, or the person does. */
function whileFollowing(
	values: readonly Pick<Readable<unknown>, 'subscribe'>[],
	look: () => ExitCode | undefined,
): Promise<ExitCode> {
	const { promise, resolve } = Promise.withResolvers<ExitCode>()
	const again = () => {
		const end = look()
		if (end !== undefined) resolve(end)
	}
	const interrupted = () => resolve(exit.interrupted)
	const stops = values.map((value) => value.subscribe(again))
	process.once('SIGINT', interrupted)
	again()
	return promise.finally(() => {
		for (const stop of stops) stop()
		process.off('SIGINT', interrupted)
	})
}
