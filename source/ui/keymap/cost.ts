/** The keys of the cost screen. */
import type { Command } from './command.ts'
import { always } from './screens.ts'

export const costCommands = [
	{
		id: 'cost',
		group: 'Look',
		keys: ['$'],
		screens: ['sessions', 'session'],
		label: 'cost',
		description: 'What all this cost: by day, agent, project and model.',
		footer: 12,
		enabled: always,
	},
	{
		id: 'cost-group',
		group: 'Look',
		keys: ['tab'],
		screens: ['cost'],
		label: 'by what',
		description: 'By day, agent, project or model.',
		footer: 1,
		enabled: always,
	},
	{
		id: 'cost-group-before',
		group: 'Look',
		keys: ['shift-tab'],
		screens: ['cost'],
		label: 'by what',
		description: 'The same, backwards.',
		footer: null,
		enabled: always,
	},
	{
		id: 'cost-range',
		group: 'Look',
		keys: ['r'],
		screens: ['cost'],
		label: 'range',
		description: 'Of today, 7 days, 30 days, 12 months, or all.',
		footer: 2,
		enabled: always,
	},
	{
		id: 'cost-measure',
		group: 'Look',
		keys: ['m'],
		screens: ['cost'],
		label: 'cost or tokens',
		description: 'Bars of the cost, or of the tokens.',
		footer: 3,
		enabled: always,
	},
] as const satisfies readonly Command[]
