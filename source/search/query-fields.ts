/** The fields of the query language: one table for the parser, the help on the screen and the docs. */

interface Field {
	name: string
	/** Other names that people try first. */
	aliases: readonly string[]
	example: string
	/** What it narrows to, as the help says it. */
	summary: string
}

export const fields = [
	{ name: 'agent', aliases: ['by'], example: 'agent:codex', summary: 'sessions of an agent' },
	{
		name: 'project',
		aliases: ['repo', 'in'],
		example: 'project:api',
		summary: 'sessions whose project has this in its name',
	},
	{
		name: 'host',
		aliases: ['device', 'machine'],
		example: 'host:laptop',
		summary: 'sessions that run on a device',
	},
	{
		name: 'title',
		aliases: [],
		example: 'title:login',
		summary: 'sessions with this in the title',
	},
	{
		name: 'session',
		aliases: ['id'],
		example: 'session:3f2a',
		summary: 'one session, by how its id begins',
	},
	{
		name: 'kind',
		aliases: ['type'],
		example: 'kind:command',
		summary: 'messages of a kind',
	},
	{ name: 'status', aliases: ['state'], example: 'status:error', summary: 'sessions in a state' },
	{
		name: 'is',
		aliases: [],
		example: 'is:waiting',
		summary: 'sessions that wait, go on, are over',
	},
	{
		name: 'since',
		aliases: ['after', 'from', 'on'],
		example: 'since:7d',
		summary: 'not before a time: 2h, 7d, 3w, today, yesterday, monday, 2026-11-01',
	},
	{
		name: 'until',
		aliases: ['before', 'to'],
		example: 'until:yesterday',
		summary: 'not after a time',
	},
] as const satisfies readonly Field[]

/** What `kind:` knows. */
export const facets = [
	'prompt',
	'response',
	'thinking',
	'tool',
	'command',
	'file',
	'error',
	'permission',
] as const
export type Facet = (typeof facets)[number]

/** A map of every word, and its plural, to what it stands for. */
function words(table: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
	return new Map(
		Object.entries(table).flatMap(([name, others]) =>
			[name, ...others].map((word) => [word, name]),
		),
	)
}

export const facetWords = words({
	prompt: ['prompts', 'user'],
	response: ['responses', 'answer', 'text'],
	thinking: ['thought', 'thoughts'],
	tool: ['tools'],
	command: ['commands', 'shell'],
	file: ['files', 'edit', 'edits', 'diff'],
	error: ['errors', 'failed'],
	permission: ['permissions', 'request', 'requests'],
})

export const statusWords = words({
	starting: [],
	running: [],
	idle: [],
	stopped: ['done'],
	error: ['failed'],
})

/** What `is:` knows. `archived` is for lists of sessions. */
export const stateWords = words({
	waiting: ['pending'],
	live: ['open', 'active'],
	over: ['ended', 'done', 'closed', 'finished'],
	stale: ['silent'],
	failed: ['error'],
	archived: [],
})
