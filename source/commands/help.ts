/** The help, made from the command table. */
import type { CommandSpec, FlagSpec } from './command.ts'
import { commands, viewerCommand } from './table.ts'

const environment: readonly (readonly [string, string])[] = [
	['STYRBY_HOME', 'everything of ours lives under this folder'],
	['STYRBY_VAULT', 'where secret keys live: keychain or file'],
	['STYRBY_PASSPHRASE_FILE', 'file with the passphrase of the key file'],
	['STYRBY_LOG', 'debug: write a log file under the home folder'],
	['NO_COLOR', 'no colours'],
]

function columns(rows: readonly (readonly [string, string])[]): string {
	const width = Math.max(...rows.map(([left]) => left.length))
	return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

function flagRow([name, flag]: [string, FlagSpec]): [string, string] {
	const choices = flag.choices ? `: ${flag.choices.join(', ')}` : ''
	return [`--${name}${flag.value ? ` ${flag.value}` : ''}`, flag.summary + choices]
}

/** `styrby-tui --help` */
export function overview(version: string): string {
	const rows = commands.map((command): [string, string] => [command.usage, command.summary])
	return `styrby-tui ${version}: watch, replay and answer your coding agents, end-to-end encrypted

Usage
  styrby-tui [command] [options]

Commands
${columns([['(none)', viewerCommand.summary], ...rows])}

Options
${columns([
	['--help, -h', 'this, or the help of a command'],
	['--version, -v', 'the version'],
	['--json', 'where a command reads: print JSON'],
])}

Environment
${columns(environment)}

Exit codes
  0 done · 1 failed · 2 wrong usage · 3 not signed in or no device key here
  4 refused for security · 5 backend out of reach · 130 interrupted
`
}

/** `styrby-tui <command> --help` */
export function helpOf(command: CommandSpec): string {
	const flags = [
		...Object.entries(command.flags).map(flagRow),
		['--help', 'this'] satisfies [string, string],
	]
	const options = `\nOptions\n${columns(flags)}\n`
	return `styrby-tui ${command.usage}\n\n${capital(command.summary)}.\n${options}`
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
