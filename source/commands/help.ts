/** The help, made from the command table. */
import type { CommandSpec, FlagSpec } from './command.ts'
import { hanging } from './hanging.ts'
import { commands, membersOf, viewerCommand } from './table.ts'

const environment: readonly (readonly [string, string])[] = [
	['STYRBY_HOME', 'everything of ours lives under this folder'],
	['STYRBY_VAULT', 'where secret keys live: keychain or file'],
	['STYRBY_PASSPHRASE_FILE', 'file with the passphrase of the key file'],
	['STYRBY_LOG', 'debug: write a log file under the home folder'],
	['NO_COLOR', 'no colours'],
	['INK_SCREEN_READER', 'true: as --screen-reader'],
]

const exitCodes: readonly (readonly [string, string])[] = [
	['0', 'done'],
	['1', 'failed'],
	['2', 'wrong usage'],
	['3', 'not signed in, or no device key here'],
	['4', 'refused for security'],
	['5', 'backend out of reach'],
	['130', 'interrupted'],
]

function columns(rows: readonly (readonly [string, string])[], width?: number): string {
	const longest = Math.max(...rows.map(([left]) => left.length))
	return rows
		.flatMap(([left, right]) => hanging(`  ${left.padEnd(longest)}  `, right, width))
		.join('\n')
}

function flagRow([name, flag]: [string, FlagSpec]): [string, string] {
	const choices = flag.choices ? `: ${flag.choices.join(', ')}` : ''
	return [`--${name}${flag.value ? ` ${flag.value}` : ''}`, flag.summary + choices]
}

/** `styrby-tui --help`, in lines of `width` columns. */
export function overview(version: string, width?: number): string {
	const rows = commands.map((command): [string, string] => [command.usage, command.summary])
	const what = `styrby-tui ${version}: watch, replay and answer your coding agents, end-to-end encrypted`
	return `${hanging('', what, width).join('\n')}

Usage
  styrby-tui [command] [options]

Commands
${columns([['(none)', viewerCommand.summary], ...rows], width)}

Options
${columns(
	[
		['--help, -h', 'this, or the help of a command'],
		['--version, -v', 'the version'],
		['--json', 'where a command reads: print JSON'],
	],
	width,
)}

Environment
${columns(environment, width)}

Exit codes
${columns(exitCodes, width)}
`
}

/** `styrby-tui <command> --help` */
export function helpOf(command: CommandSpec, width?: number): string {
	const flags = [
		...Object.entries(command.flags).map(flagRow),
		['--help', 'this'] satisfies [string, string],
	]
	const options = `\nOptions\n${columns(flags, width)}\n`
	const members = membersOf(command.name).map(({ usage, summary }): [string, string] => [
		usage,
		summary,
	])
	const more = members.length === 0 ? '' : `\nCommands\n${columns(members, width)}\n`
	const about = hanging('', `${capital(command.summary)}.`, width).join('\n')
	return `styrby-tui ${command.usage}\n\n${about}\n${more}${options}`
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
