/** The family of `hooks`: sessions that were started without us. */
import { hookedNames } from '../../host/hooks/hooked-agents.ts'
import type { CommandSpec } from '../command.ts'
import { json } from '../shared-flags.ts'

const agents = { min: 0, max: hookedNames.length, choices: hookedNames }

export const hooksCommands: readonly CommandSpec[] = [
	{
		name: 'hook',
		usage: 'hook <agent>',
		summary: 'what an agent calls as a hook; never typed by hand',
		args: { min: 1, max: 1, choices: hookedNames },
		flags: {},
	},
	{
		name: 'hooks',
		usage: 'hooks',
		summary: 'the same as "hooks list"',
		args: { min: 0, max: 0 },
		flags: { json },
	},
	{
		name: 'hooks list',
		usage: 'hooks list',
		summary: 'what is installed in the settings of which agent, and whether its host runs',
		args: { min: 0, max: 0 },
		flags: { json },
	},
	{
		name: 'hooks install',
		usage: 'hooks install [agent...]',
		summary: 'publish every session of an agent, however it is started (default: the agents found)',
		args: agents,
		flags: { json },
	},
	{
		name: 'hooks remove',
		usage: 'hooks remove [agent...]',
		summary: 'take the hooks out again (default: of all agents)',
		args: agents,
		flags: { json },
	},
	{
		name: 'hooks serve',
		usage: 'hooks serve',
		summary: 'run the host of installed hooks in the foreground; it is otherwise started on demand',
		args: { min: 0, max: 0 },
		flags: {},
	},
]
