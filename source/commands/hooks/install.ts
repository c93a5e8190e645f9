/** `hooks install`: from now on every session of an agent is published, however it is started. */
import type { AgentAdapter } from '../../agents/agent.ts'
import { loadAdapter } from '../../host/adapters.ts'
import { hookedNames, loadHooked } from '../../host/hooks/hooked-agents.ts'
import { installHooks } from '../../host/hooks/install.ts'
import { type ExitCode, exit, StyrbyError } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { revealText } from '../../text/safe-text.ts'
import type { Invocation } from '../command.ts'
import { openContext } from '../context.ts'
import type { Io } from '../io.ts'
import { startHost } from './launch.ts'
import { hookTimes } from './times.ts'

export async function run({ args, flags, io }: Invocation): Promise<ExitCode> {
	const names = args.length > 0 ? [...new Set(args)] : await foundAgents(io)
	if (names.length === 0) {
		throw new StyrbyError(
			'agent_not_installed',
			`None of ${hookedNames.join(', ')} is on the PATH: install one, or name it to install its hooks all the same.`,
		)
	}
	// The device has to be there before a host without anybody to ask needs it.
	await using context = await openContext(io)
	const { base: home, settings } = context
	const place = { home, env: io.env, now: io.now, times: hookTimes(settings) }
	const done = []
	for (const name of names) {
		const adapter = await loadHooked(name)
		done.push({ agent: name, after: adapter.afterInstall, ...(await installHooks(place, adapter)) })
	}
	const { pid, problem } = await started(context)
	if (flags.has('json')) {
		const installed = done.map(({ agent, file, changed, backup, after }) => ({
			agent,
			file,
			changed,
			backup,
			next: after,
		}))
		io.stdout.write(`${jsonText({ installed, host: pid === null ? null : { pid } })}\n`)
	} else {
		for (const { agent, file, changed, backup, after } of done) {
			const what = changed ? `hooks are installed in ${file}` : `nothing to change in ${file}`
			const kept = changed && backup !== null ? ` (as it was: ${backup})` : ''
			io.stdout.write(`${revealText(`${agent}: ${what}${kept}`)}\n`)
			if (after !== null) io.stdout.write(`${agent}: ${after}\n`)
		}
		if (pid !== null) io.stdout.write(`The host runs (process ${pid}).\n`)
	}
	if (problem) io.stderr.write(`${revealText(`styrby-tui: ${problem.message}`)}\n`)
	return problem ? exit.failed : exit.done
}

/** The hooks are in, whether or not the host can be started just now. */
async function started(context: Parameters<typeof startHost>[0]) {
	try {
		return { pid: await startHost(context), problem: null }
	} catch (problem) {
		if (!(problem instanceof StyrbyError)) throw problem
		return { pid: null, problem }
	}
}

async function foundAgents(io: Io): Promise<string[]> {
	const found: string[] = []
	for (const name of hookedNames) {
		const adapter: AgentAdapter = await loadAdapter(name)
		if ((await adapter.find(io.env)) !== null) found.push(name)
	}
	return found
}
