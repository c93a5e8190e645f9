/** A backend on another machine. */
import { reachBackend } from '../../backend/reach.ts'
import type { Profile } from '../../config/profiles.ts'
import { endpointOf } from '../backend-of.ts'
import { checkClock } from './backend.ts'
import { type Check, fail, ok } from './check.ts'

/** `[backend, clock]` */
export async function checkRemoteBackend(profile: Profile): Promise<Check[]> {
	const { kind, url, certificate } = profile
	const name = kind === 'embedded' ? 'embedded, of another machine' : 'Supabase'
	const reach = await reachBackend(await endpointOf(profile))
	if (reach === null) {
		const mend =
			kind === 'embedded'
				? 'Check the network, and that "styrby-tui serve --listen" runs there.'
				: 'Check the network, the address, and that the project is not paused.'
		return [fail('backend', `${name}, does not answer at ${url}`, mend), checkClock(null)]
	}
	const pinned = certificate === null ? '' : ', with the certificate that is pinned here'
	return [ok('backend', `${name}, answers at ${url}${pinned}`), checkClock(reach.clockOffMs)]
}
