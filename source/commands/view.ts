import { setTimeout as sleep } from 'node:timers/promises'
import { type ExitCode, exit } from '../protocol/errors.ts'
import type { Invocation } from './command.ts'
import { openSignedIn } from './context.ts'
import { hasScreen } from './io.ts'
import { openOrJoin } from './open-or-join.ts'
import { loadScreens, showViewer } from './show-viewer.ts'

/** How long the first frame may wait for the list of sessions, ms. */
const listMs = 200

export async function run(invocation: Invocation): Promise<ExitCode> {
	const { io, flags } = invocation
	if (!hasScreen(io) || flags.has('json')) {
		const sessions = await import('./sessions.ts')
		await sessions.run(invocation)
		return exit.done
	}
	await using signedIn = await openSignedIn(io, { meanwhile: () => loadScreens(io) })
	const context = await openOrJoin(signedIn)
	if (typeof context === 'number') return context
	await using viewer = context.viewer()
	// The first frame has the list, unless that takes long.
	await Promise.race([
		viewer.ready.catch(() => undefined),
		sleep(listMs, undefined, { ref: false }),
	])
	const [{ keepFinishing }, { keepBackend }] = await Promise.all([
		import('./finish-dead.ts'),
		import('./keep-backend.ts'),
	])
	await using _ = keepFinishing(context)
	await using _backend = keepBackend(context)
	return await showViewer(io, viewer, {
		notifications: context.settings.notifications,
		keys: context.settings.keys,
	})
}
