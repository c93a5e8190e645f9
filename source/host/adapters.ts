import type { AgentAdapter } from '../agents/agent.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { agentNames } from '../protocol/names.ts'

const adapters: ReadonlyMap<string, () => Promise<AgentAdapter>> = new Map([
	['aider', async () => (await import('../agents/aider/index.ts')).aider],
	['claude', async () => (await import('../agents/claude/index.ts')).claude],
	['codex', async () => (await import('../agents/codex/index.ts')).codex],
	['gemini', async () => (await import('../agents/gemini/index.ts')).gemini],
	['opencode', async () => (await import('../agents/opencode/index.ts')).opencode],
])

/** Agents that can be hosted. */
export const adapterNames: readonly string[] = [...adapters.keys()]

/** The adapter of an agent, by its name on the command line. Throws `agent_unknown`, `agent_not_supported`. */
export async function loadAdapter(name: string): Promise<AgentAdapter> {
	const load = adapters.get(name)
	if (load) return load()
	const known = agentNames.some((agent) => agent === name)
	throw new StyrbyError(
		known ? 'agent_not_supported' : 'agent_unknown',
		known
			? `This version can not host ${name} yet: it hosts ${adapterNames.join(', ')}.`
			: `There is no agent "${name}": this version hosts ${adapterNames.join(', ')}.`,
		{ exitCode: exit.usage },
	)
}
