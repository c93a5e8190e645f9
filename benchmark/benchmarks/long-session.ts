import { atMost, type Benchmark, type Row } from '../harness/benchmark.ts'
import { type Library, sizes } from '../harness/library.ts'
import { residentMegabytes } from '../harness/processes.ts'
import { takeTurns } from '../harness/sample.ts'
import { keys, Screen } from '../harness/screen.ts'
import { median, spread } from '../harness/statistics.ts'

const narrow = { columns: 90, rows: 40 }

/** Opening a session at its end, after the list is on the screen. */
export const longSession: Benchmark = {
	name: 'long-session',
	summary: 'opening a session of 100,000 messages at its end',
	async run({ library }) {
		const shared = await library()
		return [await openings(shared), await memory(shared)]
	},
}

async function openings({ profile, huge, large }: Library): Promise<Row> {
	await using screen = new Screen({ env: profile.env, ...narrow })
	await screen.until('of-100000')
	/** Opens a session from the list, where a short one is highlighted and shown. */
	const open = async (move: string, words: string) => {
		screen.press(keys.home + keys.down + keys.down)
		await screen.until('The end of session 0.')
		screen.press(move)
		const pressed = screen.press(keys.enter)
		const shown = await screen.until(words)
		screen.press(keys.escape)
		await screen.until('earlier')
		return shown - pressed
	}
	const samples = await takeTurns(
		{
			huge: () => open(keys.home, huge.lastWords),
			large: async () => open(keys.home + keys.down, large.lastWords),
		},
		{ least: 15, most: 40, limitMs: 15_000 },
	)
	const taken = samples.of('huge')
	const value = median(taken)
	return {
		what: 'open a session of 100,000 messages at its end',
		value,
		unit: 'ms',
		floor: {
			what: 'one of 10,000',
			value: median(samples.of('large')),
			ratio: samples.ratio('huge', 'large'),
		},
		goal: atMost(value, 200, '200 ms'),
		samples: taken.length,
		spread: spread(taken),
	}
}

async function memory({ profile, huge, large }: Library): Promise<Row> {
	const samples = await takeTurns(
		{
			huge: () => residentAfter(profile.env, keys.home, huge.lastWords),
			large: () => residentAfter(profile.env, keys.home + keys.down, large.lastWords),
		},
		{ least: 3, most: 6, calm: 0.05, limitMs: 20_000 },
	)
	const taken = samples.of('huge')
	const ratio = samples.ratio('huge', 'large')
	return {
		what: 'memory of the viewer with it open',
		value: median(taken),
		unit: 'MB',
		floor: { what: 'one of 10,000', value: median(samples.of('large')), ratio },
		goal: atMost(ratio, 1.1, '1.1 ×'),
		samples: taken.length,
		spread: spread(taken),
	}
}

async function residentAfter(env: NodeJS.ProcessEnv, move: string, words: string): Promise<number> {
	await using screen = new Screen({ env, ...narrow })
	await screen.until(`of-${sizes.huge}`)
	screen.press(move)
	screen.press(keys.enter)
	await screen.until(words)
	return residentMegabytes(screen.pid)
}
