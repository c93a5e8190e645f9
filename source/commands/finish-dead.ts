/** What hosts that died have left is finished by whichever command comes next. */
import { recoverSessions } from '../host/recover.ts'
import type { StyrbyError } from '../protocol/errors.ts'
import type { Context } from './context.ts'
import { ensureHooksHost } from './hooks/launch.ts'

/** How long one dead session may keep a command waiting for the backend, ms. */
const sessionMs = 2000
/** How often a viewer looks for hosts that have died meanwhile, ms. */
const lookEvery = 10_000

export interface FinishOptions {
	waitMs?: number
	onTrouble?: (error: StyrbyError) => void
}

/**
 * Sends what dead hosts of this home had on the disk, and closes their sessions. What can't be finished
 * now is left for the next command. Throws nothing that is about one session.
 */
export async function finishDead(context: Context, options: FinishOptions = {}): Promise<void> {
	const { account, gateway, home, log } = context
	await recoverSessions({
		account,
		gateway,
		dataFolder: home.data,
		waitMs: options.waitMs ?? sessionMs,
		onTrouble: (session, error) => {
			log.write('recover.failed', { session, code: error.code })
			options.onTrouble?.(error)
		},
	})
}

/**
 * Goes on looking until it is disposed of: a host may die while its viewer is open. The one of installed hooks
 * is started anew.
 */
export function keepFinishing(context: Context): AsyncDisposable {
	let timer: NodeJS.Timeout | undefined
	let closed = false
	let looking: Promise<void> = Promise.resolve()
	const look = () => {
		looking = ensureHooksHost(context)
			.then(() => finishDead(context))
			.catch((error: unknown) => {
				const name = error instanceof Error ? error.name : 'unknown'
				context.log.write('recover.failed', { session: null, code: name })
			})
			.finally(() => {
				if (!closed) timer = setTimeout(look, lookEvery)
			})
	}
	look()
	return {
		async [Symbol.asyncDispose]() {
			closed = true
			clearTimeout(timer)
			await looking
		},
	}
}
