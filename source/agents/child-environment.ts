/** Of an agent that `run` hosts: what is installed for others need not publish it again. */
export const hostedMark = 'STYRBY_HOSTED'

/** The person's own environment, without anything of ours: an agent's tools can print what they inherit. */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const child: NodeJS.ProcessEnv = {}
	for (const [name, value] of Object.entries(env)) {
		if (value !== undefined && !name.toUpperCase().startsWith('STYRBY_')) child[name] = value
	}
	// Hooks that are installed for sessions of their own (docs/agents.md) keep out of this one.
	return { ...child, [hostedMark]: '1' }
}
