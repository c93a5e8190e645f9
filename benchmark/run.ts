/** Runs the benchmarks: `npm run benchmark -- [--only NAME]… [--json] [--markdown] [--install]`. */
import { parseArgs } from 'node:util'
import { backendStart } from './benchmarks/backend-start.ts'
import { decision } from './benchmarks/decision.ts'
import { decrypt } from './benchmarks/decrypt.ts'
import { deviceLog } from './benchmarks/device-log.ts'
import { firstFrame } from './benchmarks/first-frame.ts'
import { follow } from './benchmarks/follow.ts'
import { help } from './benchmarks/help.ts'
import { hook } from './benchmarks/hook.ts'
import { idleHost } from './benchmarks/idle-host.ts'
import { importing } from './benchmarks/import.ts'
import { install } from './benchmarks/install.ts'
import { live } from './benchmarks/live.ts'
import { longSession } from './benchmarks/long-session.ts'
import { memory } from './benchmarks/memory.ts'
import { search } from './benchmarks/search.ts'
import { sharing } from './benchmarks/share-history.ts'
import type { Bench, Benchmark } from './harness/benchmark.ts'
import { type Library, makeLibrary } from './harness/library.ts'
import { markdownTable, type Result, textTable } from './harness/table.ts'

const benchmarks: readonly Benchmark[] = [
	help,
	firstFrame,
	backendStart,
	decrypt,
	importing,
	deviceLog,
	sharing,
	longSession,
	search,
	memory,
	live,
	decision,
	hook,
	follow,
	idleHost,
	install,
]

const { values } = parseArgs({
	options: {
		only: { type: 'string', multiple: true },
		json: { type: 'boolean', default: false },
		markdown: { type: 'boolean', default: false },
		install: { type: 'boolean', default: false },
		help: { type: 'boolean', default: false },
	},
})

if (values.help) {
	const list = benchmarks.map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`)
	process.stdout.write(`${[usage(), ...list].join('\n')}\n`)
} else {
	const results = await runAll(chosen(values.only, values.install))
	process.stdout.write(`${print(results)}\n`)
}

function usage(): string {
	return 'npm run benchmark -- [--only NAME]… [--json | --markdown] [--install]\n'
}

/** Throws for a name that there is none of. */
function chosen(only: readonly string[] | undefined, install: boolean): readonly Benchmark[] {
	if (!only) return benchmarks.filter(({ onDemand }) => onDemand !== true || install)
	return only.map((name) => {
		const found = benchmarks.find((one) => one.name === name)
		if (!found) throw new Error(`There is no benchmark "${name}"; --help lists them.`)
		return found
	})
}

async function runAll(list: readonly Benchmark[]): Promise<Result[]> {
	await using stack = new AsyncDisposableStack()
	const note = (text: string) => void process.stderr.write(`${text}\n`)
	let library: Promise<Library> | null = null
	const bench: Bench = {
		stack,
		note,
		library() {
			library ??= makeLibrary(note).then((made) => {
				stack.use(made.profile)
				return made
			})
			return library
		},
	}
	const results: Result[] = []
	for (const benchmark of list) {
		const lack = benchmark.lacks?.() ?? null
		note(lack === null ? `… ${benchmark.name}` : `${benchmark.name}: not run, ${lack}`)
		if (lack !== null) results.push({ benchmark: benchmark.name, rows: [], skipped: lack })
		else results.push(await runOne(benchmark, bench))
	}
	return results
}

/** One that fails does not take the others with it. */
async function runOne(benchmark: Benchmark, bench: Bench): Promise<Result> {
	try {
		return { benchmark: benchmark.name, rows: await benchmark.run(bench), skipped: null }
	} catch (error) {
		process.exitCode = 1
		const why = error instanceof Error ? error.message : String(error)
		bench.note(`${benchmark.name} failed: ${why}`)
		return { benchmark: benchmark.name, rows: [], skipped: `it failed: ${why.split('\n')[0]}` }
	}
}

function print(results: readonly Result[]): string {
	if (values.json) return JSON.stringify({ results }, null, '\t')
	return values.markdown ? markdownTable(results) : textTable(results)
}
