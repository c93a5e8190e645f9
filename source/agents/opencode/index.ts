/** The adapter of OpenCode. */
import type { AgentAdapter } from '../agent.ts'
import { installed } from '../installed.ts'
import { startOpencode } from './start.ts'

export const opencode: AgentAdapter = {
	name: 'opencode',
	tested: { from: '1.18.33', to: '1.18.33' },
	...installed({
		command: 'opencode',
		title: 'OpenCode',
		install: 'npm install --global opencode-ai',
	}),

	async start(options) {
		return startOpencode(await opencode.locate(options.env, options.cwd), options)
	},
}

export { isOpencodeHistory, readHistory } from './import.ts'
