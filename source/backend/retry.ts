/** Repeats what failed because the backend was out of reach. Every call of the gateway may be repeated. */
import { setTimeout as sleep } from 'node:timers/promises'
import { StyrbyError } from '../protocol/errors.ts'

/** Waits before each further attempt, ms, each ± 50 %. */
const waits = [150, 450]

export async function retrying<T>(
	attempt: () => Promise<T>,
	options: { signal: AbortSignal; random?: () => number },
): Promise<T> {
	const random = options.random ?? Math.random
	for (let failures = 0; ; failures++) {
		try {
			return await attempt()
		} catch (error) {
			const wait = waits[failures]
			const again = error instanceof StyrbyError && error.code === 'backend_unreachable'
			if (!again || wait === undefined || options.signal.aborted) throw error
			await sleep(wait * (0.5 + random()), undefined, { ref: true })
		}
	}
}
