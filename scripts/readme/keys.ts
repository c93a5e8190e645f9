/** The readme's table of keys, from the table that the keys themselves follow. `node scripts/readme/keys.ts` writes it. */
import { readFile, writeFile } from 'node:fs/promises'
import { commands, groups } from '../../source/ui/keymap/keymap.ts'
import { keySymbol } from '../../source/ui/keys.ts'

const begin = '<!-- keys:begin -->'
const end = '<!-- keys:end -->'
const readme = new URL('../../readme.md', import.meta.url)

const screenNames: Readonly<Record<string, string>> = {
	sessions: 'sessions',
	session: 'session',
	permissions: 'permissions',
	request: 'request',
	reason: 'typing a reason',
	devices: 'devices',
	device: 'device',
	history: 'device log',
	access: 'access',
	act: 'what is done with devices',
	typing: 'typing about devices',
	prompt: 'writing a prompt',
	interrupt: 'interrupting',
	modes: 'choosing a mode',
	change: 'changing a request',
	changed: 'what was changed',
	question: 'questions',
	'words-of-answer': 'writing an answer',
	revoked: 'revoked',
	join: 'joining',
	words: 'typing the recovery words',
	help: 'help',
}

/** Markdown: a row a command, in the order of the help. */
export function keyTable(): string {
	const rows = groups.flatMap((group) =>
		commands
			.filter((command) => command.group === group)
			.map(({ keys, screens, description }) => {
				const names = keys.map((key) => `\`${keySymbol(key)}\``).join(' ')
				return `| ${names} | ${placesOf(screens)} | ${description} |`
			}),
	)
	return ['| key | where | what it does |', '| --- | --- | --- |', ...rows].join('\n')
}

function placesOf(screens: readonly string[]): string {
	const all = Object.keys(screenNames)
	if (all.every((screen) => screens.includes(screen))) return 'everywhere'
	const elsewhere = [
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
		'revoked',
	]
	if (all.every((screen) => elsewhere.includes(screen) || screens.includes(screen))) {
		return 'all screens'
	}
	return screens.map((screen) => screenNames[screen] ?? screen).join(', ')
}

/** The text with what stands between the marks replaced by the table. */
export function withKeyTable(text: string): string {
	const [from, to] = [text.indexOf(begin), text.indexOf(end)]
	if (from < 0 || to < from) throw new Error(`The readme has no ${begin} … ${end}.`)
	return `${text.slice(0, from + begin.length)}\n\n${keyTable()}\n\n${text.slice(to)}`
}

if (import.meta.main) await writeFile(readme, withKeyTable(await readFile(readme, 'utf8')))
