/** The adapter of Claude Code. */
import type { AgentAdapter } from '../agent.ts'
import { installed } from '../installed.ts'
import { startHeadless } from './headless.ts'
import { startNative } from './native.ts'

export const claude: AgentAdapter = {
	name: 'claude',
	tested: { from: '2.1.330', to: '2.1.330' },
	...installed({
		command: 'claude',
		title: 'Claude Code',
		install: 'npm install --global @anthropic-ai/claude-code',
	}),

	async start(options) {
		const path = await claude.locate(options.env, options.cwd)
		return options.headless === undefined
			? startNative(path, options)
			: startHeadless(path, options)
	},
}

export { isClaudeTranscript, readHistory } from './import.ts'
