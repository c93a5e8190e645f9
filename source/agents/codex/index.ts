/** The adapter of Codex. */
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAdapter } from '../agent.ts'
import { childEnvironment } from '../child-environment.ts'
import { findExecutable, readVersion } from '../executable.ts'
import { startHeadless } from './headless.ts'
import { startNative } from './native.ts'

const command = 'codex'

export const codex: AgentAdapter = {
	name: 'codex',
	tested: { from: '0.169.0', to: '0.169.0' },

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
			'Codex is not on the PATH: install it with `npm install --global @openai/codex`.',
		)
	},

	async start(options) {
		const path = await codex.locate(options.env, options.cwd)
		return options.headless === undefined
			? startNative(path, options)
			: startHeadless(path, options)
	},
}
