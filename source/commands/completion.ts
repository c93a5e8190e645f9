import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import type { CommandSpec, Invocation } from './command.ts'
import { commands } from './table.ts'

const names = commands.map((command) => command.name)
const flagsOf = (command: CommandSpec) =>
	[...Object.keys(command.flags), 'help'].map((flag) => `--${flag}`)

/** Values that a flag can have: `[command, flag, choices]`. */
const choices = commands.flatMap(({ name, flags }) =>
	Object.entries(flags).flatMap(([flag, { choices }]) =>
		choices ? [[name, `--${flag}`, choices.join(' ')] as const] : [],
	),
)

function bash(): string {
	const words = commands.map((command) => {
		const all = [...(command.args.choices ?? []), ...flagsOf(command)]
		return `\t\t${command.name}) words="${all.join(' ')}" ;;`
	})
	const values = choices.map(([name, flag, list]) => `\t\t"${name} ${flag}") words="${list}" ;;`)
	return `_styrby_tui() {
	local words="${names.join(' ')} --help --version" command="\${COMP_WORDS[1]}"
	if [ "$COMP_CWORD" -gt 1 ]; then
		case "$command" in
${words.join('\n')}
		*) words="" ;;
		esac
		case "$command \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
		esac
	fi
	COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _styrby_tui styrby-tui
`
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

function zsh(): string {
	const list = commands.map(({ name, summary }) => `\t\t${quoted(`${name}:${summary}`)}`)
	const values = choices.map(
		([name, flag, words]) => `\t\t${quoted(`${name} ${flag}`)}) compadd -- ${words}; return ;;`,
	)
	const cases = commands.map((command) => {
		const all = [...(command.args.choices ?? []), ...flagsOf(command)]
		const files = command.name === 'import' ? '; _files' : ''
		return `\t\t${command.name}) compadd -- ${all.join(' ')}${files} ;;`
	})
	return `#compdef styrby-tui
_styrby_tui() {
	local -a commands=(
${list.join('\n')}
	)
	if (( CURRENT == 2 )); then _describe command commands; compadd -- --help --version; return; fi
	case "$words[2] $words[CURRENT-1]" in
${values.join('\n')}
	esac
	case $words[2] in
${cases.join('\n')}
	esac
}
if [ "$funcstack[1]" = _styrby_tui ]; then _styrby_tui "$@"; else compdef _styrby_tui styrby-tui; fi
`
}

function fish(): string {
	const within = (name: string) => `-n '__fish_seen_subcommand_from ${name}'`
	const lines = commands.flatMap((command) => [
		`complete -c styrby-tui -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
		...(command.args.choices ?? []).map(
			(choice) => `complete -c styrby-tui ${within(command.name)} -f -a ${choice}`,
		),
		...Object.entries(command.flags).map(([flag, { type, choices: list, summary }]) => {
			const values = list ? ` -x -a ${quoted(list.join(' '))}` : type === 'boolean' ? '' : ' -r'
			return `complete -c styrby-tui ${within(command.name)} -l ${flag}${values} -d ${quoted(summary)}`
		}),
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
