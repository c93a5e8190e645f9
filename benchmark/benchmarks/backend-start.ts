import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signUpAnonymously } from '../../source/backend/sign-in.ts'
import { connectEmbedded, stopEmbedded } from '../../source/server/discover.ts'
import { atMost, type Benchmark, type Row } from '../harness/benchmark.ts'
import { built, root, timeNode } from '../harness/program.ts'
import { type Samples, takeTurns } from '../harness/sample.ts'
import { median, spread } from '../harness/statistics.ts'

/** Bare PGlite in a process of its own: opened, asked one thing, closed. */
const bare = (options: string) => `
	import { readFileSync } from 'node:fs'
	import { PGlite } from '@electric-sql/pglite'
	const database = await PGlite.create(${options})
	await database.query('select 1')
	process.exit(0)
`
const dump = (file: string, folder: string) => `
	import { writeFileSync } from 'node:fs'
	import { PGlite } from '@electric-sql/pglite'
	const database = await PGlite.create(${JSON.stringify(folder)})
	const dump = await database.dumpDataDir('gzip')
	writeFileSync(${JSON.stringify(file)}, Buffer.from(await dump.arrayBuffer()))
	await database.close()
`

/** The embedded backend, from nothing running to the answer of its first call, which signs an account up. */
export const backendStart: Benchmark = {
	name: 'backend-start',
	summary: 'embedded backend: first start ever, and later ones',
	async run() {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-benchmark-'))
		try {
			return await measure(folder)
		} finally {
			await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
		}
	},
}

async function measure(folder: string): Promise<Row[]> {
	const file = join(folder, 'template.tar.gz')
	const kept = join(folder, 'bare')
	evaluate(dump(file, kept))
	let count = 0
	const place = (name: string) => ({
		data: join(folder, name, 'data'),
		run: join(folder, name, 'run'),
		log: join(folder, name, 'log'),
	})
	const samples = await takeTurns(
		{
			first: () => start(place(`home-${++count}`)),
			later: () => start(place(`home-${count || 1}`)),
			'first floor': () => {
				const options = `${JSON.stringify(join(folder, `bare-${++count}`))}, { loadDataDir: new Blob([readFileSync(${JSON.stringify(file)})]) }`
				return evaluate(bare(options))
			},
			'later floor': () => evaluate(bare(JSON.stringify(kept))),
		},
		{ least: 5, most: 12, calm: 0.15, limitMs: 40_000 },
	)
	return [
		rowOf(samples, 'first', 'from a bare template', 1200, '1.2 s'),
		rowOf(samples, 'later', 'opening bare PGlite', 700, '0.7 s'),
	]
}

function rowOf(samples: Samples, name: string, floor: string, limit: number, text: string): Row {
	const taken = samples.of(name)
	const value = median(taken)
	return {
		what: `embedded backend, ${name === 'first' ? 'first start ever' : 'later starts'}, to its first answer`,
		value,
		unit: 'ms',
		floor: {
			what: floor,
			value: median(samples.of(`${name} floor`)),
			ratio: samples.ratio(name, `${name} floor`),
		},
		goal: atMost(value, limit, text),
		samples: taken.length,
		spread: spread(taken),
	}
}

async function start(place: { data: string; run: string; log: string }): Promise<number> {
	const before = performance.now()
	const endpoint = await connectEmbedded({ ...place, entry: built('daemon') })
	await signUpAnonymously(endpoint)
	const took = performance.now() - before
	await stopEmbedded(place)
	return took
}

/** As the daemon runs it: WebAssembly compiled simply. */
function evaluate(code: string): number {
	return timeNode(['--liftoff-only', '--input-type=module', '-e', code], process.env, root)
}
