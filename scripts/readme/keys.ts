/**
 * The tables of keys in the readme and in docs/viewer.md, from the table that the keys themselves follow.
 * `node scripts/readme/keys.ts` writes them.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { commands, groups } from '../../source/ui/keymap/keymap.ts'
import { placesOf } from '../../source/ui/keymap/screen-names.ts'
import { keySymbol } from '../../source/ui/keys.ts'

const root = new URL('../../', import.meta.url)
const sorted = groups.flatMap((group) => commands.filter((command) => command.group === group))

/** Markdown: a row a command, in the order of the help. */
function keyTable(): string {
	const rows = sorted.map(({ keys, screens, description }) => {
		const names = keys.map((key) => `\`${keySymbol(key)}\``).join(' ')
		return `| ${names} | ${placesOf(screens)} | ${description} |`
	})
	return ['| key | where | what it does |', '| --- | --- | --- |', ...rows].join('\n')
}

/** Markdown: what the config file calls each command, and the keys that it has without one. */
function commandTable(): string {
	const rows = sorted.map(({ id, keys, description }) => {
		const names = keys.map((key) => `\`${key}\``).join(' ')
		return `| \`${id}\` | ${names} | ${description} |`
	})
	return ['| command | keys | what it does |', '| --- | --- | --- |', ...rows].join('\n')
}

/** Files with a generated table, and the marks that it stands between. */
export const tables = [
	{ file: new URL('readme.md', root), mark: 'keys', table: keyTable },
	{ file: new URL('docs/viewer.md', root), mark: 'commands', table: commandTable },
] as const

/** The text with what stands between the marks replaced by the table. */
export function withTable(text: string, { mark, table }: (typeof tables)[number]): string {
	const begin = `<!-- ${mark}:begin -->`
	const [from, to] = [text.indexOf(begin), text.indexOf(`<!-- ${mark}:end -->`)]
	if (from < 0 || to < from) throw new Error(`There is no ${begin} with an end.`)
	return `${text.slice(0, from + begin.length)}\n\n${table()}\n\n${text.slice(to)}`
}

if (import.meta.main) {
	for (const each of tables) {
		await writeFile(each.file, withTable(await readFile(each.file, 'utf8'), each))
	}
}
