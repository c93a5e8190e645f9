import { setTimeout as sleep } from 'node:timers/promises'
import { HostedAgent } from '../harness/agent.ts'
import { atMost, type Benchmark } from '../harness/benchmark.ts'
import { NativeAgent } from '../harness/native-agent.ts'
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
		await using headless = await HostedAgent.start(profile)
		await using native = await NativeAgent.start(profile)
		// Starting up is over when nothing is compiled any more.
		await sleep(5000)
		const hosts = [
			{ what: 'without its interface', pid: headless.host.pid ?? 0 },
			{ what: 'in its own interface', pid: native.host.pid },
		].map((host) => ({ ...host, used: processorMs(host.pid) }))
		const began = performance.now()
		await sleep(watchMs)
		const took = performance.now() - began
		return hosts.map(({ what, pid, used }) => {
			const share = (100 * (processorMs(pid) - used)) / took
			return {
				what: `host whose agent is idle, ${what}: share of one core`,
				value: share,
				unit: '%' as const,
				goal: atMost(share, 1, '1 %'),
				samples: 1,
				spread: null,
			}
		})
	},
}
