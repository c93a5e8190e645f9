import { StyrbyError } from '../protocol/errors.ts'
import type { AgentAdapter } from './agent.ts'
import { childEnvironment } from './child-environment.ts'
import { findExecutable, readVersion } from './executable.ts'

export interface Installed {
	/** What it is called on the PATH. */
	command: string
	/** Its own name, for people. */
	title: string
	/** The command that installs it. */
	install: string
	/** How long it may take to tell its version, ms. */
	versionMs?: number
}

/** How an agent is found that is a program on the PATH. */
export function installed({
	command,
	title,
	install,
	versionMs,
}: Installed): Pick<AgentAdapter, 'find' | 'locate'> {
	return {
		async find(env) {
			const path = await findExecutable(command, env)
			if (path === null) return null
			return { path, version: await readVersion(path, childEnvironment(env), versionMs) }
		},

		async locate(env, cwd) {
			const path = await findExecutable(command, env, cwd)
			if (path !== null) return path
			throw new StyrbyError(
				'agent_not_installed',
				`${title} is not on the PATH: install it with \`${install}\`.`,
			)
		},
	}
}
