import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Conditions that are waited for: a busy machine may take long, and what never holds fails all the same. */
const expected = { poll: { timeout: 30_000 } }

export default defineConfig({
	test: {
		// Most of them wait for other processes more than they compute.
		maxWorkers: Math.max(4, availableParallelism()),
		projects: [
			{
				test: {
					name: 'unit',
					include: ['test/**/*.test.{ts,tsx}'],
					exclude: ['test/system/**'],
					// As the daemon runs: WebAssembly is compiled once and simply, which starts faster.
					execArgv: ['--liftoff-only'],
					// Nothing takes as long; a busy machine may.
					expect: expected,
					testTimeout: 60_000,
					hookTimeout: 60_000,
				},
			},
			{
				test: {
					name: 'system',
					include: ['test/system/**/*.test.{ts,tsx}'],
					expect: expected,
					testTimeout: 120_000,
					hookTimeout: 120_000,
					// Real agents, terminals and disks on a busy machine: what fails twice has failed, and the report names it.
					retry: 1,
				},
			},
		],
	},
})
