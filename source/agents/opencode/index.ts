/** The adapter of OpenCode. */
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAdapter } from '../agent.ts'
import { childEnvironment } from '../child-environment.ts'
import { findExecutable, readVersion } from '../executable.ts'
import { startOpencode } from './start.ts'

const command = 'opencode'

export const opencode: AgentAdapter = {
	name: 'opencode',
	tested: { from: '1.18.33', to: '1.18.33' },

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
			'OpenCode is not on the PATH: install it with `npm install --global opencode-ai`.',
		)
	},

	async start(options) {
		return startOpencode(await opencode.locate(options.env, options.cwd), options)
	},
}

export { isOpencodeHistory, readHistory } from './import.ts'
