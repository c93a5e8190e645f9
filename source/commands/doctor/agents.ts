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

export function checkAgents(io: Io): Promise<Check[]> {
	return Promise.all(adapterNames.map((name) => checkAgent(io, name)))
}

async function checkAgent(io: Io, name: string): Promise<Check> {
	const { tested, find } = await loadAdapter(name)
	const range = tested.from === tested.to ? tested.from : `${tested.from} to ${tested.to}`
	const id = `agent-${name}`
	const found = await find(io.env)
	if (!found) return warn(id, 'not found on the PATH', `Install it: this was tested with ${range}.`)
	const detail = `${found.version ?? 'unknown version'} (${found.path})`
	const { version } = found
	if (version !== null && !isOlder(version, tested.from) && !isOlder(tested.to, version)) {
		return ok(id, `${detail}, tested with ${range}`)
	}
	const mend = `It may do, but this was tested with ${range}: should something be wrong, use that.`
	return warn(id, detail, mend)
}
