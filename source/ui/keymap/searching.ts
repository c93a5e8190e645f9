/** The keys of the search over all sessions. */
import type { Command } from './command.ts'
import { always } from './screens.ts'

export const searchingCommands = [
	{
		id: 'search',
		group: 'Look',
		keys: ['/'],
		screens: ['sessions'],
		label: 'search',
		description: 'Search everything that was said in all sessions.',
		footer: 10,
		enabled: always,
	},
	{
		id: 'open-hit',
		group: 'Look',
		keys: ['enter'],
		screens: ['search-line'],
		label: 'open',
		description: 'Open the session at what was found, or search again for what is highlighted.',
		footer: 1,
		enabled: ({ hit }) => (hit ? true : null),
	},
	{
		id: 'search-help',
		group: 'Look',
		keys: ['tab'],
		screens: ['search-line'],
		label: 'what can be typed',
		description: 'Show what can be typed to search, or what was found.',
		footer: 3,
		enabled: always,
	},
] as const satisfies readonly Command[]
