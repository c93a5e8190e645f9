/** The agents that this version can host. */
import { resolveHome } from '../../config/paths.ts'
import { adapterNames, loadAdapter } from '../../host/adapters.ts'
import { runningHost } from '../../host/hooks/host-process.ts'
import { anyInstalled } from '../../host/hooks/installations.ts'
import { isOlder } from '../../server/versions.ts'
import { hostText } from '../hooks/host-text.ts'
import { allHooks } from '../hooks/list.ts'
import type { Io } from '../io.ts'
import { type Check, checking, fail, ok, warn } from './check.ts'

/** The installed hooks and their host; nothing where none are installed. */
export async function checkHooks(io: Io): Promise<Check[]> {
	const home = resolveHome(io.env, io.platform)
	if (!anyInstalled(home)) return []
	return [
		await checking('hooks', async () => {
			const states = (await allHooks(io)).filter(
				({ installed, installedAt }) => installed || installedAt !== null,
			)
			const host = await runningHost(home)
			const names = states.map(({ agent, file }) => `${agent} (${file})`).join(', ')
			const broken = states.find(({ problem }) => problem !== null)
			if (broken?.problem) return fail('hooks', broken.problem, `Mend ${broken.file}.`)
			const detail = `${names}; host: ${hostText(host, true)}`
			if (states.some(({ current }) => !current)) {
				return warn('hooks', detail, 'Run "styrby-tui hooks install" to renew what is installed.')
			}
			if (host === null) return warn('hooks', detail, 'Run "styrby-tui hooks install" to start it.')
			return ok('hooks', detail)
		}),
	]
}

/** One check an agent; one more, which warns, where none of them is installed. */
export async function checkAgents(io: Io): Promise<Check[]> {
	const agents = await Promise.all(adapterNames.map((name) => checkAgent(io, name)))
	const checks = agents.map(({ check }) => check)
	if (agents.some(({ installed }) => installed)) return checks
	return [
		...checks,
		warn(
			'agents',
			'none is on the PATH',
			`Install one that can be hosted: ${adapterNames.join(', ')}.`,
		),
	]
}

async function checkAgent(io: Io, name: string): Promise<{ check: Check; installed: boolean }> {
	const { tested, find } = await loadAdapter(name)
	const range = tested.from === tested.to ? tested.from : `${tested.from} to ${tested.to}`
	const id = `agent-${name}`
	const found = await find(io.env)
	if (!found) return { check: ok(id, `not installed (tested with ${range})`), installed: false }
	const { path, version } = found
	const detail = `${version ?? 'unknown version'} (${path})`
	const fits = version !== null && !isOlder(version, tested.from) && !isOlder(tested.to, version)
	const mend = `It may do, but this was tested with ${range}: should something be wrong, use that.`
	const check = fits ? ok(id, `${detail}, tested with ${range}`) : warn(id, detail, mend)
	return { check, installed: true }
}
