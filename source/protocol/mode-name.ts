/** What people are told of an agent's permission mode: the word that the agent's own interface has for it. */
const names: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	// Its protocol still says `default`; its interface, and what it is started with, `manual`.
	claude: { default: 'manual' },
}

export function modeName(agent: string, mode: string): string {
	const known = Object.hasOwn(names, agent) ? names[agent] : undefined
	return known && Object.hasOwn(known, mode) ? (known[mode] ?? mode) : mode
}
