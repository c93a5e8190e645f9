/** Whether a backend answers, and what its clock says; asked without a sign-in. */
import { boundedFetch } from './bounded-fetch.ts'
import { type Endpoint, fetchOf } from './client.ts'

const maxAnswer = 64 * 1024

export interface Reach {
	/** Its clock minus ours, ms, to the second; `null` where it does not say. */
	clockOffMs: number | null
}

/** `null` when it does not answer in time, or refuses the key. */
export async function reachBackend(endpoint: Endpoint, patienceMs = 5_000): Promise<Reach | null> {
	try {
		const answer = await boundedFetch(maxAnswer, fetchOf(endpoint))(
			`${endpoint.url}/auth/v1/health`,
			{ headers: { apikey: endpoint.anonKey }, signal: AbortSignal.timeout(patienceMs) },
		)
		await answer.body?.cancel()
		if (!answer.ok) return null
		const date = Date.parse(answer.headers.get('date') ?? '')
		// It is cut to the second: what is within that second is no difference.
		const off = date - Date.now()
		return { clockOffMs: Number.isNaN(off) ? null : off > 0 ? off : Math.min(0, off + 1000) }
	} catch {
		return null
	}
}
