import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import type { Invocation } from './command.ts'
import { commands } from './table.ts'

const names = commands.map((command) => command.name)
const flagsOf = (command: (typeof commands)[number]) =>
	[...Object.keys(command.flags), 'help'].map((flag) => `--${flag}`)

function bash(): string {
	const cases = commands.map(
		(command) => `\t\t${command.name}) words="${flagsOf(command).join(' ')}" ;;`,
	)
	return `_styrby_tui() {
	local words="${names.join(' ')} --help --version"
	case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
	esac
	[ "$COMP_CWORD" -eq 1 ] && words="${names.join(' ')} --help --version"
	COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _styrby_tui styrby-tui
`
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

function zsh(): string {
	const list = commands.map(({ name, summary }) => `\t\t${quoted(`${name}:${summary}`)}`)
	const cases = commands.map(
		(command) => `\t\t${command.name}) compadd -- ${flagsOf(command).join(' ')}; _files ;;`,
	)
	return `#compdef styrby-tui
_styrby_tui() {
	local -a commands=(
${list.join('\n')}
	)
	if (( CURRENT == 2 )); then _describe command commands; compadd -- --help --version; return; fi
	case $words[2] in
${cases.join('\n')}
	esac
}
compdef _styrby_tui styrby-tui
`
}

function fish(): string {
	const lines = commands.flatMap((command) => [
		`complete -c styrby-tui -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
		...Object.entries(command.flags).map(
			([flag, { summary }]) =>
				`complete -c styrby-tui -n '__fish_seen_subcommand_from ${command.name}' -l ${flag} -d ${quoted(summary)}`,
		),
	])
	return `${lines.join('\n')}\n`
}

const shells: Readonly<Record<string, () => string>> = { bash, zsh, fish }

export async function run({ args, io }: Invocation): Promise<ExitCode> {
	const script = shells[args[0] ?? '']
	if (!script) {
		throw new StyrbyError('bad_value', 'A completion script is there for bash, zsh and fish.', {
			exitCode: exit.usage,
		})
	}
	io.stdout.write(script())
	return exit.done
}
