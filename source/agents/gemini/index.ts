/** The adapter of Gemini CLI. */
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAdapter } from '../agent.ts'
import { childEnvironment } from '../child-environment.ts'
import { findExecutable, readVersion } from '../executable.ts'
import { startHeadless } from './headless.ts'
import { startNative } from './native.ts'

const command = 'gemini'

export const gemini: AgentAdapter = {
	name: 'gemini',
	tested: { from: '0.61.0', to: '0.61.0' },

	async find(env) {
		const path = await findExecutable(command, env)
		if (path === null) return null
		// It reads its settings first: a while, on a machine with much else to do.
		return { path, version: await readVersion(path, childEnvironment(env), 15_000) }
	},

	async locate(env, cwd) {
		const path = await findExecutable(command, env, cwd)
		if (path !== null) return path
		throw new StyrbyError(
			'agent_not_installed',
			'Gemini CLI is not on the PATH: install it with `npm install --global @google/gemini-cli`.',
		)
	},

	async start(options) {
		const path = await gemini.locate(options.env, options.cwd)
		return options.headless === undefined
			? startNative(path, options)
			: startHeadless(path, options)
	},
}
