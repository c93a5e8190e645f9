/**
 * The readme's table of commands, made from the command table. Run it as a script to write it:
 * `node test/tools/readme-commands.ts`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { CommandSpec } from '../../source/commands/command.ts'
import { commands, viewerCommand } from '../../source/commands/table.ts'

const begin = '<!-- commands:begin -->'
const end = '<!-- commands:end -->'

export const readmeFile = fileURLToPath(new URL('../../readme.md', import.meta.url))

const cell = (text: string) => text.replaceAll('|', '\\|')

function row({ name, usage, summary, flags }: CommandSpec): [string, string] {
	const options = Object.entries(flags).map(
		([flag, { value }]) => `\`--${flag}${value ? ` ${value}` : ''}\``,
	)
	const what = options.length === 0 ? summary : `${summary}; ${options.join(', ')}`
	return [name === '' ? '_(none)_' : `\`${cell(usage)}\``, cell(what)]
}

/** The readme with the table between its markers. Throws where they lack. */
export function withCommandTable(readme: string): string {
	const from = readme.indexOf(begin)
	const to = readme.indexOf(end)
	if (from < 0 || to < from) throw new Error(`readme.md lacks ${begin} … ${end}`)
	const rows = [viewerCommand, ...commands].map(row)
	const [left, right] = [0, 1].map((column) =>
		Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
	)
	const line = (cells: readonly string[], fill = ' ') =>
		`| ${(cells[0] ?? '').padEnd(left ?? 0, fill)} | ${(cells[1] ?? '').padEnd(right ?? 0, fill)} |`
	const lines = [
		line(['command', 'what it does']),
		line(['', ''], '-'),
		...rows.map((row) => line(row)),
	]
	return `${readme.slice(0, from)}${begin}\n\n${lines.join('\n')}\n\n${readme.slice(to)}`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
	await writeFile(readmeFile, withCommandTable(await readFile(readmeFile, 'utf8')))
}
