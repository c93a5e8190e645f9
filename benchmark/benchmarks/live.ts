import { setTimeout as sleep } from 'node:timers/promises'
import { HostedAgent } from '../harness/agent.ts'
import { BareChannel } from '../harness/bare.ts'
import { atMost, type Benchmark, type Row } from '../harness/benchmark.ts'
import { openProfile } from '../harness/profile.ts'
import { Screen } from '../harness/screen.ts'
import { quantile, spread } from '../harness/statistics.ts'
import { seeded } from '../harness/transcript.ts'

const events = 150
/** Between two events, ms: from faster than the screen is drawn to slower. */
const gap = { least: 20, most: 280 }

/** From the agent's line to the screen of another process, through host, outbox, backend and viewer. */
export const live: Benchmark = {
	name: 'live',
	summary: "an agent's event, until it is on another terminal's screen",
	async run() {
		await using profile = await openProfile()
		await using agent = await HostedAgent.start(profile)
		await using screen = new Screen({ env: profile.env })
		await screen.until('Ready.')
		await using bare = await BareChannel.open(await profile.backend())
		const random = seeded(1)
		const shown: number[] = []
		const floors: number[] = []
		for (let index = -10; index < events; index++) {
			await sleep(gap.least + random() * (gap.most - gap.least))
			const words = `Event ${index} of ${events} is done.`
			const seen = screen.until(words)
			const printed = await agent.say(words)
			const took = (await seen) - printed
			const floor = await bare.once()
			if (index < 0) continue
			shown.push(took)
			floors.push(floor)
		}
		return [
			quantileRow({ name: 'p50', q: 0.5, goal: 50 }, shown, floors),
			quantileRow({ name: 'p99', q: 0.99, goal: 150 }, shown, floors),
		].map((row) => ({ ...row, what: `agent's event on another terminal's screen, ${row.what}` }))
	},
}

/** A quantile beside the same quantile of a bare append until its broadcast. */
export function quantileRow(
	{ name, q, goal }: { name: string; q: number; goal: number },
	samples: readonly number[],
	floors: readonly number[],
): Row {
	const value = quantile(samples, q)
	const floor = quantile(floors, q)
	return {
		what: name,
		value,
		unit: 'ms',
		floor: { what: `bare append → broadcast, ${name}`, value: floor, ratio: value / floor },
		goal: atMost(value, goal, `${goal} ms`),
		samples: samples.length,
		spread: spread(samples),
	}
}
