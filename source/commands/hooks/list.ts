/** `hooks list`: what is installed, where, and whether its host runs. */
import { resolveHome } from '../../config/paths.ts'
import { loadSettings } from '../../config/settings.ts'
import { hookedNames, loadHooked } from '../../host/hooks/hooked-agents.ts'
import { runningHost } from '../../host/hooks/host-process.ts'
import { type HooksState, hooksState } from '../../host/hooks/install.ts'
import { type ExitCode, exit } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { revealText } from '../../text/safe-text.ts'
import { textWidth } from '../../text/width.ts'
import type { Invocation } from '../command.ts'
import { hanging, widthOf } from '../hanging.ts'
import type { Io } from '../io.ts'
import { hostText } from './host-text.ts'
import { hookTimes } from './times.ts'

/** What is installed for each agent that hooks are known of. */
export async function allHooks(io: Io): Promise<HooksState[]> {
	const home = resolveHome(io.env, io.platform)
	const times = hookTimes(await loadSettings(home))
	const place = { home, env: io.env, now: io.now, times }
	const states: HooksState[] = []
	for (const name of hookedNames) states.push(...(await hooksState(place, await loadHooked(name))))
	return states
}

/** What `--json` prints of one; a shape that scripts depend on. */
export function hooksJson(state: HooksState) {
	return {
		agent: state.agent,
		installed: state.installed,
		current: state.installed && state.current,
		version: state.version,
		installed_at: state.installedAt,
		file: state.file,
		backup: state.backup,
		hooks: state.hooks.map(({ event, command, timeout }) => ({ event, command, timeout })),
		problem: state.problem,
	}
}

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const home = resolveHome(io.env, io.platform)
	const states = await allHooks(io)
	const host = await runningHost(home)
	if (flags.has('json')) {
		const running = host && { pid: host.pid, version: host.version }
		io.stdout.write(`${jsonText({ agents: states.map(hooksJson), host: running })}\n`)
		return exit.done
	}
	const width = widthOf(io.stdout)
	const rows = states.flatMap((state) => rowsOf(state))
	const installed = states.some((state) => state.installed)
	rows.push(['host', hostText(host, installed)])
	const lines = rows.flatMap(([name, text]) =>
		hanging(`${name.padEnd(9)} `, revealText(text), width, textWidth),
	)
	io.stdout.write(`${lines.join('\n')}\n`)
	return exit.done
}

function rowsOf(state: HooksState): [string, string][] {
	const { agent, file, installed, current, hooks, problem } = state
	if (problem !== null) return [[agent, problem]]
	if (!installed) return [[agent, `not installed (${file})`]]
	const old = current
		? ''
		: '; not as this version has them: run "styrby-tui hooks install" to renew them'
	const events = hooks.map(({ event }) => event).join(', ')
	const since = state.installedAt === null ? '' : ` since ${state.installedAt.slice(0, 10)}`
	return [
		[agent, `installed${since} in ${file}${old}`],
		['', `${events}`],
		...(state.backup === null
			? []
			: [['', `before that: ${state.backup}`] satisfies [string, string]]),
	]
}
