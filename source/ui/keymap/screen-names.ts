import type { ScreenName } from '../state.ts'

/** The screens as the help and the documentation call them. */
export const screenNames: Readonly<Record<ScreenName, string>> = {
	sessions: 'sessions',
	session: 'session',
	permissions: 'permissions',
	request: 'request',
	reason: 'typing a reason',
	devices: 'devices',
	device: 'device',
	history: 'device log',
	access: 'access',
	cost: 'cost',
	'export-cost': 'exporting the cost',
	search: 'search',
	'search-line': 'searching',
	act: 'what is done with devices',
	typing: 'typing about devices',
	prompt: 'writing a prompt',
	interrupt: 'interrupting',
	modes: 'choosing a mode',
	change: 'changing a request',
	changed: 'what was changed',
	question: 'questions',
	'words-of-answer': 'writing an answer',
	find: 'finding',
	export: 'writing to a file',
	raw: 'raw view',
	replay: 'replay',
	revoked: 'revoked',
	join: 'joining',
	words: 'typing the recovery words',
	help: 'all keys',
	'help-filter': 'looking for a key',
	filter: 'typing a filter',
	archive: 'archiving',
	grants: 'allowed rules',
	panic: 'stopping all',
}

/** Screens on which nearly nothing is a command. */
const elsewhere: ReadonlySet<ScreenName> = new Set<ScreenName>([
	'reason',
	'typing',
	'words',
	'prompt',
	'interrupt',
	'modes',
	'question',
	'change',
	'changed',
	'words-of-answer',
	'find',
	'export',
	'raw',
	'replay',
	'help-filter',
	'filter',
	'archive',
	'panic',
	'revoked',
])

const isName = (name: string): name is ScreenName => Object.hasOwn(screenNames, name)
const all = Object.keys(screenNames).filter(isName)

/** Where a command works, in words: `sessions, session`, `all screens`. */
export function placesOf(screens: readonly ScreenName[]): string {
	if (all.every((screen) => screens.includes(screen))) return 'everywhere'
	const most = all.every((screen) => elsewhere.has(screen) || screens.includes(screen))
	return most ? 'all screens' : screens.map((screen) => screenNames[screen]).join(', ')
}
