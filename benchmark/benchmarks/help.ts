import { atMost, type Benchmark } from '../harness/benchmark.ts'
import { emptyNode, launcher, timeNode } from '../harness/program.ts'
import { takeTurns } from '../harness/sample.ts'
import { median, spread } from '../harness/statistics.ts'

/** Start-up of a command that does nothing. */
export const help: Benchmark = {
	name: 'help',
	summary: '--help, from start to end',
	async run() {
		const samples = await takeTurns(
			{ help: () => timeNode([launcher, '--help']), floor: emptyNode },
			{ least: 15, most: 60, limitMs: 8_000 },
		)
		const taken = samples.of('help')
		const ratio = samples.ratio('help', 'floor')
		return [
			{
				what: '`--help`',
				value: median(taken),
				unit: 'ms',
				floor: { what: '`node -e 0`', value: median(samples.of('floor')), ratio },
				goal: atMost(ratio, 1.5, '1.5 ×'),
				samples: taken.length,
				spread: spread(taken),
			},
		]
	},
}
