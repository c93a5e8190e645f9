/** The adapter of Gemini CLI. */
import type { AgentAdapter } from '../agent.ts'
import { installed } from '../installed.ts'
import { startHeadless } from './headless.ts'
import { startNative } from './native.ts'

export const gemini: AgentAdapter = {
	name: 'gemini',
	tested: { from: '0.61.0', to: '0.61.0' },
	...installed({
		command: 'gemini',
		title: 'Gemini CLI',
		install: 'npm install --global @google/gemini-cli',
		// It reads its settings first: a while, on a machine with much else to do.
		versionMs: 15_000,
	}),

	async start(options) {
		const path = await gemini.locate(options.env, options.cwd)
		return options.headless === undefined
			? startNative(path, options)
			: startHeadless(path, options)
	},
}
