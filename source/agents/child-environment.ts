/** The person's own environment, without anything of ours: an agent's tools can print what they inherit. */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const child: NodeJS.ProcessEnv = {}
	for (const [name, value] of Object.entries(env)) {
		if (value !== undefined && !name.toUpperCase().startsWith('STYRBY_')) child[name] = value
	}
	return child
}
