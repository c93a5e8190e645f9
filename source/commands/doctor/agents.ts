/** The agents that this version can host. */
import { adapterNames, loadAdapter } from '../../host/adapters.ts'
import { isOlder } from '../../server/versions.ts'
import type { Io } from '../io.ts'
import { type Check, ok, warn } from './check.ts'

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
