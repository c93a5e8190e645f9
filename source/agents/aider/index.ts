/** The adapter of Aider. */
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAdapter } from '../agent.ts'
import { childEnvironment } from '../child-environment.ts'
import { findExecutable, readVersion } from '../executable.ts'
import { start } from './start.ts'

const command = 'aider'

export const aider: AgentAdapter = {
	name: 'aider',
	tested: { from: '0.86.0', to: '0.86.2' },

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
			'Aider is not on the PATH: install it with `python -m pip install aider-install && aider-install`.',
		)
	},

	async start(options) {
		return start(await aider.locate(options.env, options.cwd), options)
	},
}
