import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import type { CommandSpec, Invocation } from './command.ts'
import { commands, membersOf } from './table.ts'

const tops = commands.filter(({ name }) => !name.includes(' '))
const names = tops.map(({ name }) => name)
const families = tops.filter(({ name }) => membersOf(name).length > 0)
const fullNames = families.flatMap(({ name }) => membersOf(name).map((member) => member.name))
const wordOf = ({ name }: CommandSpec) => name.slice(name.indexOf(' ') + 1)
const flagsOf = (command: CommandSpec) =>
	[...Object.keys(command.flags), 'help'].map((flag) => `--${flag}`)

/** What can stand behind a command: the rest of its name, an argument that is of a known few, an option. */
const wordsFor = (command: CommandSpec) => [
	...membersOf(command.name).map(wordOf),
	...(command.args.choices ?? []),
	...flagsOf(command),
]

/** Values that a flag can have: `[command, flag, choices]`. */
const choices = commands.flatMap(({ name, flags }) =>
	Object.entries(flags).flatMap(([flag, { choices }]) =>
		choices ? [[name, `--${flag}`, choices.join(' ')] as const] : [],
	),
)

/** Patterns of `case`, each quoted for what has a space. */
const anyOf = (list: readonly string[]) => list.map((one) => `"${one}"`).join('|')

function bash(): string {
	const words = commands.map(
		(command) => `\t\t"${command.name}") words="${wordsFor(command).join(' ')}" ;;`,
	)
	const values = choices.map(([name, flag, list]) => `\t\t"${name} ${flag}") words="${list}" ;;`)
	return `_styrby_tui() {
	local words="${names.join(' ')} --help --version" command="\${COMP_WORDS[1]}"
	if [ "$COMP_CWORD" -gt 2 ]; then
		case "$command \${COMP_WORDS[2]}" in
		${anyOf(fullNames)}) command="$command \${COMP_WORDS[2]}" ;;
		esac
	fi
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
	const list = tops.map(({ name, summary }) => `\t\t${quoted(`${name}:${summary}`)}`)
	const values = choices.map(
		([name, flag, words]) => `\t\t${quoted(`${name} ${flag}`)}) compadd -- ${words}; return ;;`,
	)
	const cases = commands.map((command) => {
		const files = command.name === 'import' ? '; _files' : ''
		return `\t\t${quoted(command.name)}) compadd -- ${wordsFor(command).join(' ')}${files} ;;`
	})
	return `#compdef styrby-tui
_styrby_tui() {
	local -a commands=(
${list.join('\n')}
	)
	if (( CURRENT == 2 )); then _describe command commands; compadd -- --help --version; return; fi
	local command=$words[2]
	if (( CURRENT > 3 )); then
		case "$words[2] $words[3]" in
		${anyOf(fullNames)}) command="$words[2] $words[3]" ;;
		esac
	fi
	case "$command $words[CURRENT-1]" in
${values.join('\n')}
	esac
	case $command in
${cases.join('\n')}
	esac
}
if [ "$funcstack[1]" = _styrby_tui ]; then _styrby_tui "$@"; else compdef _styrby_tui styrby-tui; fi
`
}

/** When fish is to offer what belongs to a command: `approve` stands alone, and in the family of devices. */
function fishCondition({ name }: CommandSpec): string {
	const seen = '__fish_seen_subcommand_from'
	const [top, second] = name.split(' ')
	if (second !== undefined) return `-n '${seen} ${top}; and ${seen} ${second}'`
	const members = membersOf(name)
	const not = [
		...(members.length > 0 ? [members.map(wordOf).join(' ')] : []),
		...families.flatMap((family) =>
			membersOf(family.name).some((member) => wordOf(member) === name) ? [family.name] : [],
		),
	].map((words) => `; and not ${seen} ${words}`)
	return `-n '${seen} ${name}${not.join('')}'`
}

function fish(): string {
	const lines = commands.flatMap((command) => {
		const within = fishCondition(command)
		const own = command.name.includes(' ')
			? []
			: [
					`complete -c styrby-tui -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
				]
		const members = membersOf(command.name).map(
			(member) =>
				`complete -c styrby-tui ${within} -f -a ${wordOf(member)} -d ${quoted(member.summary)}`,
		)
		const values = (command.args.choices ?? []).map(
			(choice) => `complete -c styrby-tui ${within} -f -a ${choice}`,
		)
		const flags = Object.entries(command.flags).map(([flag, { type, choices: list, summary }]) => {
			const value = list ? ` -x -a ${quoted(list.join(' '))}` : type === 'boolean' ? '' : ' -r'
			return `complete -c styrby-tui ${within} -l ${flag}${value} -d ${quoted(summary)}`
		})
		return [...own, ...members, ...values, ...flags]
	})
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
