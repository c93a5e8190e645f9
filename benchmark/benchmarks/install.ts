import { execFileSync } from 'node:child_process'
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { atMost, type Benchmark } from '../harness/benchmark.ts'
import { root } from '../harness/program.ts'

const packed = v.tuple([v.object({ filename: v.string() })])
const lock = v.object({
	packages: v.record(v.string(), v.object({ hasInstallScript: v.optional(v.boolean()) })),
})

/** What a person gets who installs it: `npm pack`, then `npm install` of that in a bare folder. */
export const install: Benchmark = {
	name: 'install',
	summary: 'size and packages of an installation (only with --install)',
	onDemand: true,
	async run() {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-benchmark-'))
		try {
			const answer = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root)
			const [{ filename }] = v.parse(packed, JSON.parse(answer))
			await writeFile(join(folder, 'package.json'), '{"private":true}\n')
			npm(['install', '--no-audit', '--no-fund', join(folder, filename)], folder)
			const text = await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8')
			const packages = Object.values(v.parse(lock, JSON.parse(text)).packages)
			const megabytes = (await bytesIn(join(folder, 'node_modules'))) / 1e6
			const scripts = packages.filter(({ hasInstallScript }) => hasInstallScript === true).length
			const once = { samples: 1, spread: null }
			return [
				{
					what: 'installation, on disk',
					value: megabytes,
					unit: 'MB',
					goal: atMost(megabytes, 80, '80 MB'),
					...once,
				},
				{
					what: 'installation, packages',
					value: packages.length,
					unit: 'packages',
					goal: atMost(packages.length, 60, '60 packages'),
					...once,
				},
				{
					what: 'installation, packages with install scripts',
					value: scripts,
					unit: 'packages',
					goal: atMost(scripts, 0, '0 packages'),
					...once,
				},
			]
		} finally {
			await rm(folder, { recursive: true, force: true })
		}
	},
}

function npm(args: readonly string[], cwd: string): string {
	return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

async function bytesIn(folder: string): Promise<number> {
	let bytes = 0
	for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
		if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).size
	}
	return bytes
}
