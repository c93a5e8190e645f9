import { type ExitCode, exit } from '../protocol/errors.ts'
import type { Invocation } from './command.ts'
import { openContext } from './context.ts'
import { keepFinishing } from './finish-dead.ts'
import { hasScreen } from './io.ts'
import { run as listSessions } from './sessions.ts'
import { loadScreens, showViewer } from './show-viewer.ts'

export async function run(invocation: Invocation): Promise<ExitCode> {
	const { io, flags } = invocation
	if (!hasScreen(io) || flags.has('json')) {
		await listSessions(invocation)
		return exit.done
	}
	const screens = loadScreens(io)
	await using context = await openContext(io)
	await screens
	await using viewer = context.viewer()
	await using _ = keepFinishing(context)
	return await showViewer(io, viewer, {
		notifications: context.settings.notifications,
	})
}
