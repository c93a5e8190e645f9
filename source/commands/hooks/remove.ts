/** `hooks remove`: takes the hooks out again, and ends their host when none are left. */
import { hookedNames, loadHooked } from '../../host/hooks/hooked-agents.ts'
import { removeHooksOf } from '../../host/hooks/install.ts'
import { anyInstalled } from '../../host/hooks/installations.ts'
import { type ExitCode, exit } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { revealText } from '../../text/safe-text.ts'
import type { Invocation } from '../command.ts'
import { openBase } from '../context.ts'
import { stopHost } from './launch.ts'

export async function run({ args, flags, io }: Invocation): Promise<ExitCode> {
	const { base: home } = await openBase(io)
	const names = args.length > 0 ? [...new Set(args)] : hookedNames
	const removed = []
	for (const agent of names) {
		const files = await removeHooksOf({ home, env: io.env }, await loadHooked(agent))
		removed.push(...files.map((one) => ({ agent, ...one })))
	}
	const stopped = anyInstalled(home) ? false : await stopHost(home)
	if (flags.has('json')) {
		io.stdout.write(`${jsonText({ removed, host_stopped: stopped })}\n`)
		return exit.done
	}
	for (const { agent, file, changed } of removed) {
		const what = changed ? `hooks were taken out of ${file}` : `no hooks of ours in ${file}`
		io.stdout.write(`${revealText(`${agent}: ${what}`)}\n`)
	}
	if (stopped) io.stdout.write('The host has ended.\n')
	return exit.done
}
