import { defineConfig } from 'vitest/config'

export default defineConfig({
	test: {
		projects: [
			{
				test: {
					name: 'unit',
					include: ['test/**/*.test.{ts,tsx}'],
					exclude: ['test/system/**'],
					// As the daemon runs: WebAssembly is compiled once and simply, which starts faster.
					execArgv: ['--liftoff-only'],
					testTimeout: 20_000,
				},
			},
			{
				test: {
					name: 'system',
					include: ['test/system/**/*.test.{ts,tsx}'],
					testTimeout: 120_000,
					hookTimeout: 120_000,
					fileParallelism: false,
				},
			},
		],
	},
})
