/** A backend that dies under a session or a viewer is started again: nobody may be there to run a command. */
import { connectEmbedded } from '../server/discover.ts'
import type { Context } from './context.ts'

const lookEvery = 3000

/**
 * Looks whether the embedded backend runs until it is disposed of, and starts it where it does not. One on
 * another machine is not ours to start. `atOnce`: the first look is now, else in a while.
 */
export function keepBackend(
	{ base, profile, log }: Context,
	{ atOnce = false }: { atOnce?: boolean } = {},
): AsyncDisposable {
	if (profile !== null) return { async [Symbol.asyncDispose]() {} }
	let timer: NodeJS.Timeout | undefined
	let closed = false
	let looking: Promise<unknown> = Promise.resolve()
	const later = () => {
		if (!closed) timer = setTimeout(look, lookEvery)
	}
	const look = () => {
		looking = connectEmbedded({ data: base.data, run: base.run, log: base.log })
			// It is tried again soon; until then the loss shows as what it is, a backend that is not there.
			.catch((error: unknown) => {
				const name = error instanceof Error ? error.name : 'unknown'
				log.write('backend.not_started', { code: name })
			})
			.finally(later)
	}
	if (atOnce) look()
	else later()
	return {
		async [Symbol.asyncDispose]() {
			closed = true
			clearTimeout(timer)
			await looking
		},
	}
}
