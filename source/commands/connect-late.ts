/** Connects a viewer that is on the screen already, behind it: again and again while nothing answers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { StyrbyError } from '../protocol/errors.ts'
import type { Vault } from '../vault/vault.ts'
import type { ConnectedViewer, LateViewer } from '../viewer/late-viewer.ts'
import { type Place, signIn } from './context.ts'

/** Waits between two tries, ms; then always the last. */
const waits = [500, 1000, 2000, 5000]

export interface Connecting extends AsyncDisposable {
	/** Begins, once the screen shows something. */
	start(): void
	/** Rejects with what it fails of for good. */
	readonly failed: Promise<never>
}

export function connectLate(late: LateViewer, place: Place, vault: Vault): Connecting {
	const failed = Promise.withResolvers<never>()
	// Where nobody looks, there is no screen any more.
	failed.promise.catch(() => undefined)
	const closing = new AbortController()
	let connected: AsyncDisposable | null = null

	async function connect(): Promise<void> {
		const stack = new AsyncDisposableStack()
		try {
			late.attach(await open(place, vault, stack))
		} catch (error) {
			await stack.disposeAsync()
			throw error
		}
		connected = stack
		// Left meanwhile.
		if (closing.signal.aborted) await stack.disposeAsync()
	}

	async function tryAgain(): Promise<void> {
		for (let tries = 0; !closing.signal.aborted; tries++) {
			try {
				return await connect()
			} catch (error) {
				if (!(error instanceof StyrbyError) || error.code !== 'backend_unreachable') throw error
				late.lost(error.message)
			}
			const wait = waits[Math.min(tries, waits.length - 1)]
			await sleep(wait, undefined, { signal: closing.signal }).catch(() => undefined)
		}
	}

	return {
		start: () => void tryAgain().catch(failed.reject),
		failed: failed.promise,
		async [Symbol.asyncDispose]() {
			closing.abort()
			await connected?.[Symbol.asyncDispose]()
		},
	}
}

/** All of this is loaded only now: the first frame needs none of it. */
async function open(
	place: Place,
	vault: Vault,
	stack: AsyncDisposableStack,
): Promise<ConnectedViewer> {
	const signedIn = stack.use(await signIn(place, vault))
	const { openAccount } = await import('./connect-account.ts')
	const context = await openAccount(signedIn)
	const viewer = stack.use(context.viewer())
	const { keepViewing } = await import('./keep-viewing.ts')
	stack.use(keepViewing(context, viewer))
	return viewer
}
