/** The keys of the list of sessions: what of it is listed. */
import { safeText } from '../../text/safe-text.ts'
import type { Command, KeyContext } from './command.ts'
import { always } from './screens.ts'

/** Where there is no list of sessions. */
export const nothingListed: KeyContext['listed'] = {
	any: false,
	filtered: false,
	archived: null,
	waiting: false,
	over: false,
}

export const listingCommands = [
	{
		id: 'filter',
		group: 'Look',
		keys: ['f'],
		screens: ['sessions'],
		label: 'filter',
		description: 'List only what fits: words, agent:codex, project:api, is:live, since:7d.',
		footer: 11,
		enabled: ({ listed }) => (listed.any || listed.filtered ? true : null),
	},
	{
		id: 'list-all',
		group: 'Look',
		keys: ['escape'],
		screens: ['sessions'],
		label: 'list all',
		description: 'List all sessions again.',
		footer: 4,
		enabled: ({ listed }) => (listed.filtered ? true : null),
	},
	{
		id: 'list-these',
		group: 'Look',
		keys: ['enter'],
		screens: ['filter'],
		label: 'keep it',
		description: 'Go to what is listed; the filter stays until it is cleared.',
		footer: 1,
		enabled: always,
	},
	{
		id: 'archive',
		group: 'Look',
		keys: ['z'],
		screens: ['sessions'],
		label: 'archive',
		description: 'Put the highlighted session out of sight, on this machine.',
		footer: 12,
		quiet: true,
		enabled: ({ listed }) => {
			if (listed.archived !== false) return null
			return listed.waiting ? safeText`It waits for an answer: that comes first.` : true
		},
	},
	{
		id: 'take-back',
		group: 'Look',
		keys: ['z'],
		screens: ['sessions'],
		label: 'list again',
		description: 'Take the highlighted session out of the archive.',
		footer: 12,
		enabled: ({ listed }) => (listed.archived === true ? true : null),
	},
	{
		id: 'archive-all',
		group: 'Look',
		keys: ['Z'],
		screens: ['sessions'],
		label: 'archive all',
		description: 'Archive all that is listed and over; asks once more.',
		footer: 15,
		enabled: ({ listed }) => (listed.over ? true : null),
	},
	{
		id: 'confirm-archive',
		group: 'Look',
		keys: ['enter'],
		screens: ['archive'],
		label: 'archive them',
		description: 'Archive the sessions that were counted.',
		footer: 1,
		enabled: always,
	},
] as const satisfies readonly Command[]
