/** Groups of screens that have keys in common. */
import type { ScreenName } from '../state.ts'
import type { Enabled } from './command.ts'

export const lists: readonly ScreenName[] = [
	'sessions',
	'permissions',
	'devices',
	'history',
	'access',
	'grants',
	'cost',
	'search',
]
export const scrolled: readonly ScreenName[] = [
	'session',
	'request',
	'device',
	'act',
	'help',
	'join',
]
export const moving: readonly ScreenName[] = [...lists, ...scrolled]
export const answering: readonly ScreenName[] = ['sessions', 'session', 'permissions', 'request']
export const typing: readonly ScreenName[] = [
	'reason',
	'typing',
	'words',
	'prompt',
	'change',
	'words-of-answer',
	'help-filter',
	'filter',
	'find',
	'export',
	'search-line',
	'export-cost',
]
export const choosing: readonly ScreenName[] = ['modes', 'question']
export const everywhere: readonly ScreenName[] = [
	...moving,
	...typing,
	...choosing,
	'interrupt',
	'changed',
	'archive',
	'panic',
	'revoked',
	'replay',
	'raw',
]

export const always = (): Enabled => true
