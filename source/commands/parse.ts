/** From the command line to a command and its flags, by the command table. */
import meow from 'meow'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { type CommandSpec, Flags } from './command.ts'
import { commands, viewerCommand } from './table.ts'

export interface Parsed {
	command: CommandSpec
	args: readonly string[]
	rest: readonly string[]
	flags: Flags
	help: boolean
	version: boolean
}

function wrongUsage(code: string, message: string): StyrbyError {
	return new StyrbyError(code, message, { exitCode: exit.usage })
}

/** meow's own checks print and exit; ours are errors with a code, so only its parser is used. */
function parse(argv: readonly string[], command: CommandSpec, importMeta: ImportMeta) {
	const flags = Object.fromEntries(
		Object.entries(command.flags).map(([name, { type }]) => [camelCase(name), { type }]),
	)
	return meow({
		importMeta,
		argv: [...argv],
		pkg: {},
		help: false,
		description: false,
		autoHelp: false,
		autoVersion: false,
		inferType: false,
		flags: { ...flags, help: { type: 'boolean' }, version: { type: 'boolean' } },
	})
}

const camelCase = (name: string) =>
	name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

/**
 * Throws `unknown_command`, `unknown_option`, `missing_value`, `bad_value`, `wrong_arguments` (all exit
 * code 2).
 */
export function parseArguments(argv: readonly string[], importMeta: ImportMeta): Parsed {
	const separator = argv.indexOf('--')
	const own = separator === -1 ? argv : argv.slice(0, separator)
	const rest = separator === -1 ? [] : argv.slice(separator + 1)
	const name = own.find((word) => !word.startsWith('-'))
	const first = own[0]
	const command =
		name === undefined || (first?.startsWith('-') && first !== '--json')
			? viewerCommand
			: commands.find((one) => one.name === name)
	if (!command) throw unknownCommand(name ?? '')
	const { input, flags } = parse(own, command, importMeta)
	const args = command === viewerCommand ? input : input.slice(1)
	const help = flags.help === true
	const version = flags.version === true
	const values = help || version ? {} : checkFlags(command, flags)
	if (!help && !version && (args.length < command.args.min || args.length > command.args.max)) {
		throw wrongUsage('wrong_arguments', `Usage: styrby-tui ${command.usage}`.trim())
	}
	return { command, args, rest, flags: new Flags(values), help, version }
}

function unknownCommand(name: string): StyrbyError {
	return wrongUsage(
		'unknown_command',
		`There is no command "${name}": see "styrby-tui --help" for those there are.`,
	)
}

function checkFlags(command: CommandSpec, flags: Record<string, unknown>): Record<string, unknown> {
	const specs = new Map(
		Object.entries(command.flags).map(([name, spec]) => [camelCase(name), { name, spec }]),
	)
	const values: Record<string, unknown> = {}
	for (const [key, value] of Object.entries(flags)) {
		if (key === 'help' || key === 'version' || value === undefined) continue
		const known = specs.get(key)
		if (!known) {
			const dashed = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
			const what = command.name === '' ? 'styrby-tui' : `"styrby-tui ${command.name}"`
			throw wrongUsage('unknown_option', `${what} has no option --${dashed}.`)
		}
		const { name, spec } = known
		const whole = spec.type === 'number' ? Number.isFinite(value) : value !== ''
		if (!whole) throw wrongUsage('missing_value', `--${name} needs a value (${spec.value}).`)
		if (spec.choices && !spec.choices.includes(String(value))) {
			throw wrongUsage('bad_value', `--${name} is one of ${spec.choices.join(', ')}.`)
		}
		values[name] = value
	}
	return values
}
