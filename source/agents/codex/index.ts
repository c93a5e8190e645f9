/** The adapter of Codex. */
import type { AgentAdapter } from '../agent.ts'
import { installed } from '../installed.ts'
import { startHeadless } from './headless.ts'
import { startNative } from './native.ts'

export const codex: AgentAdapter = {
	name: 'codex',
	tested: { from: '0.169.0', to: '0.169.0' },
	...installed({
		command: 'codex',
		title: 'Codex',
		install: 'npm install --global @openai/codex',
	}),

	async start(options) {
		const path = await codex.locate(options.env, options.cwd)
		return options.headless === undefined
			? startNative(path, options)
			: startHeadless(path, options)
	},
}
