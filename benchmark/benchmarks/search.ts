import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, openContext } from '../../source/commands/context.ts'
import { processIo } from '../../source/commands/io.ts'
import { Value } from '../../source/viewer/readable.ts'
import { SearchModel } from '../../source/viewer/search/search-model.ts'
import type { SearchState } from '../../source/viewer/viewer.ts'
import { atMost, type Benchmark, type Row } from '../harness/benchmark.ts'
import { takeTurns } from '../harness/sample.ts'
import { median, spread } from '../harness/statistics.ts'

/** What people look for: words that are everywhere, a phrase, a part of a word, what there is one of. */
const queries = [
	'the config fails',
	'"then the"',
	'"Last of 100000"',
	'rout -the',
	'kind:tool since:1d fail',
	'agent:claude',
]

/** The index over the whole library: how it is built, and how it answers. */
export const search: Benchmark = {
	name: 'search',
	summary: 'search over 110,000 messages, and what waits while they are indexed',
	async run({ library, note }) {
		const { profile } = await library()
		await using context = await openContext({
			...processIo(),
			env: profile.env,
			cwd: profile.folder,
		})
		note('indexing')
		const folder = join(profile.folder, 'search-index')
		await using built = model(context, folder)
		const { row, messages } = await indexing(built)
		return [row, await answers(built, messages), await opening(context, folder)]
	},
}

function model(context: Context, folder: string | null): SearchModel {
	return new SearchModel({
		account: context.account,
		sessions: new Value([]),
		folder,
		now: () => new Date(),
		crashed: (error) => {
			throw error
		},
	})
}

function reaches(
	{ state }: SearchModel,
	holds: (state: SearchState) => boolean,
): Promise<SearchState> {
	return new Promise((resolve) => {
		const look = () => {
			const now = state.get()
			if (!holds(now)) return
			stop()
			resolve(now)
		}
		const stop = state.subscribe(look)
		look()
	})
}

/**
 * The longest time that this thread worked without giving others their turn, ms: processor time, for on a busy
 * machine the clock says how long others had it.
 */
async function longestWait(work: () => Promise<unknown>): Promise<number> {
	let longest = 0
	let before = threadTime()
	let timer: NodeJS.Timeout | undefined
	const look = () => {
		const now = threadTime()
		longest = Math.max(longest, now - before)
		before = threadTime()
		timer = setTimeout(look, 1)
	}
	look()
	await work()
	clearTimeout(timer)
	return longest
}

function threadTime(): number {
	const { user, system } = process.threadCpuUsage()
	return (user + system) / 1000
}

async function indexing(built: SearchModel): Promise<{ row: Row; messages: number }> {
	const began = performance.now()
	const value = await longestWait(async () => {
		built.start()
		await reaches(built, ({ index }) => index.upToDate)
	})
	const floor = await longestWait(() => sleep(performance.now() - began))
	const row: Row = {
		what: 'longest time keys wait while indexing',
		value,
		unit: 'ms',
		floor: { what: 'as long, doing nothing', value: floor, ratio: value / floor },
		goal: atMost(value, 50, '50 ms'),
		samples: 1,
		spread: null,
	}
	return { row, messages: built.state.get().index.messages }
}

async function answers(built: SearchModel, messages: number): Promise<Row> {
	let turn = 0
	const answer = (query: string) => async () => {
		const began = performance.now()
		built.ask(query)
		await reaches(built, ({ searching }) => !searching)
		return performance.now() - began
	}
	const samples = await takeTurns(
		{
			answered: () => answer(queries[turn++ % queries.length] ?? '')(),
			// The way to the thread and back, for a word that is nowhere.
			floor: answer('xyzzy'),
		},
		{ least: 30, most: 120, limitMs: 20_000 },
	)
	const taken = samples.of('answered')
	const value = median(taken)
	return {
		what: `search ${messages.toLocaleString('en')} messages`,
		value,
		unit: 'ms',
		floor: {
			what: 'for a word that is nowhere',
			value: median(samples.of('floor')),
			ratio: samples.ratio('answered', 'floor'),
		},
		goal: atMost(value, 100, '100 ms'),
		samples: taken.length,
		spread: spread(taken),
	}
}

/** A second one reads what the first has kept, beside it. */
async function opening(context: Context, folder: string): Promise<Row> {
	const opened = async () => {
		await using again = model(context, folder)
		const began = performance.now()
		again.ask('config')
		again.start()
		await reaches(again, ({ searching, total }) => !searching && total > 0)
		return performance.now() - began
	}
	const empty = async () => {
		await using none = model(context, null)
		const began = performance.now()
		none.ask('config')
		none.start()
		await reaches(none, ({ searching }) => !searching)
		return performance.now() - began
	}
	const samples = await takeTurns({ opened, empty }, { least: 5, most: 15, limitMs: 20_000 })
	const taken = samples.of('opened')
	return {
		what: 'first answer after a start',
		value: median(taken),
		unit: 'ms',
		floor: {
			what: 'of an empty index',
			value: median(samples.of('empty')),
			ratio: samples.ratio('opened', 'empty'),
		},
		goal: null,
		samples: taken.length,
		spread: spread(taken),
	}
}
