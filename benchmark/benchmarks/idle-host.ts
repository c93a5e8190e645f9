import { setTimeout as sleep } from 'node:timers/promises'
import { HostedAgent } from '../harness/agent.ts'
import { atMost, type Benchmark } from '../harness/benchmark.ts'
import { hasProc, processorMs } from '../harness/processes.ts'
import { openProfile } from '../harness/profile.ts'

/** Long enough for two heartbeats, ms. */
const watchMs = 30_000

/** What a host costs while its agent does nothing. */
export const idleHost: Benchmark = {
	name: 'idle-host',
	summary: 'processor time of a host whose agent is idle',
	lacks: () => (hasProc ? null : 'the processor time of another process is only known on Linux'),
	async run() {
		await using profile = await openProfile()
		await using agent = await HostedAgent.start(profile)
		const pid = agent.host.pid ?? 0
		// Starting up is over when nothing is compiled any more.
		await sleep(5000)
		const before = { at: performance.now(), used: processorMs(pid) }
		await sleep(watchMs)
		const share = (100 * (processorMs(pid) - before.used)) / (performance.now() - before.at)
		return [
			{
				what: 'host whose agent is idle: share of one core',
				value: share,
				unit: '%',
				goal: atMost(share, 1, '1 %'),
				samples: 1,
				spread: null,
			},
		]
	},
}
