import type { AgentAdapter } from '../agents/agent.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { agentNames } from '../protocol/events.ts'

const adapters: Readonly<Record<string, () => Promise<AgentAdapter>>> = {
	claude: async () => (await import('../agents/claude/index.ts')).claude,
}

/** The adapter of an agent, by its name on the command line. Throws `agent_unknown`, `agent_not_supported`. */
export async function loadAdapter(name: string): Promise<AgentAdapter> {
	const load = adapters[name]
	if (load) return load()
	const known = agentNames.some((agent) => agent === name)
	throw new StyrbyError(
		known ? 'agent_not_supported' : 'agent_unknown',
		known
			? `This version can not host ${name} yet; it hosts ${Object.keys(adapters).join(', ')}.`
			: `There is no agent of that name here; the agents are ${Object.keys(adapters).join(', ')}.`,
		{ exitCode: exit.usage },
	)
}
