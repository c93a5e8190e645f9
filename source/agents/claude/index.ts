/** The adapter of Claude Code. */
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAdapter } from '../agent.ts'
import { childEnvironment } from '../child-environment.ts'
import { findExecutable, readVersion } from '../executable.ts'
import { startHeadless } from './headless.ts'
import { startNative } from './native.ts'

const command = 'claude'

export const claude: AgentAdapter = {
	name: 'claude',
	tested: { from: '2.1.330', to: '2.1.330' },

	async find(env) {
		const path = await findExecutable(command, env)
		if (path === null) return null
		return { path, version: await readVersion(path, childEnvironment(env)) }
	},

	async locate(env, cwd) {
		const path = await findExecutable(command, env, cwd)
		if (path !== null) return path
		throw new StyrbyError(
			'agent_not_installed',
			'Claude Code is not on the PATH: install it with `npm install --global @anthropic-ai/claude-code`.',
		)
	},

	async start(options) {
		const path = await claude.locate(options.env, options.cwd)
		return options.headless === undefined
			? startNative(path, options)
			: startHeadless(path, options)
	},
}

export { isClaudeTranscript, readHistory } from './import.ts'
