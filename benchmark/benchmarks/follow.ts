import { setTimeout as sleep } from 'node:timers/promises'
import { HostedAgent } from '../harness/agent.ts'
import { atMost, type Benchmark, type Row } from '../harness/benchmark.ts'
import { hasProc, processorMs } from '../harness/processes.ts'
import { openProfile } from '../harness/profile.ts'
import { keys, Screen } from '../harness/screen.ts'
import { median, quantile, spread } from '../harness/statistics.ts'
import { prose, seeded } from '../harness/transcript.ts'

const perSecond = 50
const slices = 8
const presses = 40

/** Reading along on a terminal of 120 × 40 while an agent says 50 things a second. */
export const follow: Benchmark = {
	name: 'follow',
	summary: 'following a session of 50 messages a second',
	lacks: () => (hasProc ? null : 'the processor time of another process is only known on Linux'),
	async run() {
		await using profile = await openProfile()
		await using agent = await HostedAgent.start(profile)
		await using screen = new Screen({ env: profile.env })
		await screen.until('Ready.')
		screen.press(keys.enter)
		await using _talking = talk(agent)
		await sleep(3000)
		const following = await whileFollowing(screen)
		const repaint = await keyToRepaint(screen)
		screen.press(keys.pageUp)
		await sleep(1000)
		return [...following, repaint, await scrolledBack(screen)]
	},
}

/** Says something at an even pace until it is disposed of. */
function talk(agent: HostedAgent): AsyncDisposable {
	const random = seeded(2)
	let said = 0
	const started = performance.now()
	const timer = setInterval(() => {
		const due = ((performance.now() - started) * perSecond) / 1000
		for (; said < due; said++) void agent.say(`${said} ${prose(random, 90)}`)
	}, 1000 / perSecond)
	return {
		async [Symbol.asyncDispose]() {
			clearInterval(timer)
		},
	}
}

/** What it takes of the processor, and of the line to the terminal: a slow one carries 50 KB/s. */
async function whileFollowing(screen: Screen): Promise<Row[]> {
	const shares: number[] = []
	const written: number[] = []
	for (let slice = 0; slice < slices; slice++) {
		const before = { at: performance.now(), used: processorMs(screen.pid), bytes: screen.bytes }
		await sleep(1000)
		const ms = performance.now() - before.at
		shares.push((100 * (processorMs(screen.pid) - before.used)) / ms)
		written.push((screen.bytes - before.bytes) / ms)
	}
	const share = median(shares)
	const rate = median(written)
	return [
		{
			what: `following ${perSecond} messages/s: share of one core`,
			value: share,
			unit: '%',
			goal: atMost(share, 10, '10 %'),
			samples: shares.length,
			spread: spread(shares),
		},
		{
			what: 'meanwhile, written to the terminal',
			value: rate,
			unit: 'kB/s',
			goal: atMost(rate, 50, '50 kB/s'),
			samples: written.length,
			spread: spread(written),
		},
	]
}

/** A key that changes all of the screen: the help comes and goes. */
async function keyToRepaint(screen: Screen): Promise<Row> {
	const isHelp = (text: string) => text.includes('Leave at once, from anywhere.')
	const took: number[] = []
	for (let press = 0; press < presses; press++) {
		await sleep(100 + (press % 7) * 17)
		const help = press % 2 === 0
		const shown = screen.until((text) => isHelp(text) === help)
		const pressed = screen.press(help ? '?' : keys.escape)
		const ms = (await shown) - pressed
		// A lone escape is awaited by Ink, in case that more follows: not ours to measure.
		if (help) took.push(ms)
	}
	const value = quantile(took, 0.5)
	return {
		what: 'meanwhile, key to repaint, p50',
		value,
		unit: 'ms',
		goal: atMost(value, 10, '10 ms'),
		samples: took.length,
		spread: spread(took),
	}
}

async function scrolledBack(screen: Screen): Promise<Row> {
	const sizes: number[] = []
	for (let slice = 0; slice < slices; slice++) {
		const { bytes, frames } = screen
		await sleep(1000)
		const drawn = screen.frames - frames
		if (drawn > 0) sizes.push((screen.bytes - bytes) / drawn)
	}
	const value = sizes.length === 0 ? 0 : median(sizes)
	return {
		what: 'meanwhile, bytes a frame while scrolled back',
		value,
		unit: 'B',
		goal: atMost(value, 200, '200 B'),
		samples: sizes.length,
		spread: sizes.length === 0 ? 0 : spread(sizes),
	}
}
