/** The adapter of Aider. */
import type { AgentAdapter } from '../agent.ts'
import { installed } from '../installed.ts'
import { start } from './start.ts'

export const aider: AgentAdapter = {
	name: 'aider',
	tested: { from: '0.86.0', to: '0.86.2' },
	...installed({
		command: 'aider',
		title: 'Aider',
		install: 'python -m pip install aider-install && aider-install',
	}),

	async start(options) {
		return start(await aider.locate(options.env, options.cwd), options)
	},
}
