/** From the command line to a command and its flags, by the command table. */
import meow from 'meow'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { nearest } from '../text/nearest.ts'
import { type CommandSpec, type FlagSpec, Flags } from './command.ts'
import { commands, membersOf, viewerCommand } from './table.ts'

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
		Object.entries(command.flags).map(([name, { type }]) => [
			camelCase(name),
			// Given twice, it is a list: which of them was meant is not ours to say.
			{ type, isMultiple: true },
		]),
	)
	return meow({
		importMeta,
		argv: withDashes(argv, command),
		pkg: {},
		help: false,
		description: false,
		autoHelp: false,
		autoVersion: false,
		inferType: false,
		flags: {
			...flags,
			help: { type: 'boolean', shortFlag: 'h' },
			version: { type: 'boolean', shortFlag: 'v' },
		},
	})
}

/** meow takes a lone `-` for no value; to us it says: from stdin. */
function withDashes(argv: readonly string[], { flags }: CommandSpec): string[] {
	const joined: string[] = []
	for (const word of argv) {
		const before = joined.at(-1) ?? ''
		const takes = before.startsWith('--') && flags[before.slice(2)]?.type === 'string'
		if (word === '-' && takes) joined[joined.length - 1] = `${before}=-`
		else joined.push(word)
	}
	return joined
}

const camelCase = (name: string) =>
	name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

/** What stands after `--`, and is not ours. */
export function splitArguments(argv: readonly string[]): [own: string[], rest: string[]] {
	const separator = argv.indexOf('--')
	return separator === -1 ? [[...argv], []] : [argv.slice(0, separator), argv.slice(separator + 1)]
}

/**
 * Throws `unknown_command`, `unknown_option`, `missing_value`, `bad_value`, `repeated_option`,
 * `wrong_arguments` (all exit code 2).
 */
export function parseArguments(argv: readonly string[], importMeta: ImportMeta): Parsed {
	const [own, rest] = splitArguments(argv)
	if (own[0] === 'help') {
		const command = own[1] === undefined ? viewerCommand : commandNamed(own[1], own[2])
		return { command, args: [], rest, flags: new Flags({}), help: true, version: false }
	}
	const command = commandOf(own)
	const { input, flags } = parse(own, command, importMeta)
	const args = command === viewerCommand ? input : input.slice(command.name.split(' ').length)
	const help = flags.help === true
	const version = flags.version === true
	const values = help || version ? {} : checkFlags(command, own, flags)
	if (!help && !version) checkCount(command, args)
	return { command, args, rest, flags: new Flags(values), help, version }
}

/** A family's second word stands right behind its first, or behind `--json`. */
function commandOf(own: readonly string[]): CommandSpec {
	const words = own.filter((word) => word !== '--json')
	const [name, second] = words
	const named = name !== undefined && !name.startsWith('-')
	if (!named) return viewerCommand
	return commandNamed(name, second?.startsWith('-') ? undefined : second)
}

function commandNamed(name: string, second: string | undefined): CommandSpec {
	const members = membersOf(name)
	const within = second !== undefined && members.length > 0
	const full = within ? `${name} ${second}` : name
	const command = commands.find((one) => one.name === full)
	if (command) return command
	throw within ? noneIn(name, second, members) : noCommand(name)
}

function noneIn(name: string, second: string, members: readonly CommandSpec[]): StyrbyError {
	const words = members.map((member) => member.name.slice(name.length + 1))
	const near = nearest(second, words)
	return unknownCommand(`${name} ${second}`, near && `${name} ${near}`, `${name} --help`)
}

/** A word that is only known within a family is looked for there too. */
function noCommand(name: string): StyrbyError {
	const tops = commands.filter((one) => !one.name.includes(' ')).map((one) => one.name)
	const member = commands.find((one) => one.name.endsWith(` ${name}`))
	return unknownCommand(name, nearest(name, tops) ?? member?.name ?? null, '--help')
}

function unknownCommand(name: string, near: string | null, help: string): StyrbyError {
	const hint =
		near === null ? `see "styrby-tui ${help}" for those there are.` : `did you mean "${near}"?`
	return wrongUsage('unknown_command', `There is no command "${name}": ${hint}`)
}

function checkCount({ name, usage, args }: CommandSpec, given: readonly string[]): void {
	const called = name === '' ? 'styrby-tui' : `"styrby-tui ${name}"`
	if (given.length < args.min) {
		const lacking = usage.match(/<[^>]+>/g)?.[given.length] ?? 'more arguments'
		throw wrongUsage('wrong_arguments', `${called} needs ${lacking}: styrby-tui ${usage}`)
	}
	if (given.length <= args.max) return
	const extra = given[args.max]
	throw wrongUsage(
		'wrong_arguments',
		`${called} takes no "${extra}": see "styrby-tui ${`${name} --help`.trim()}".`,
	)
}

function checkFlags(
	command: CommandSpec,
	own: readonly string[],
	flags: Record<string, unknown>,
): Record<string, unknown> {
	const specs = new Map(
		Object.entries(command.flags).map(([name, spec]) => [camelCase(name), { name, spec }]),
	)
	for (const { name, spec } of specs.values()) {
		const given = own.some((word) => word === `--${name}` || word.startsWith(`--${name}=`))
		if (given && spec.type !== 'boolean' && isEmpty(flags[camelCase(name)])) {
			throw wrongUsage('missing_value', `--${name} needs a value (${spec.value}).`)
		}
	}
	const values: Record<string, unknown> = {}
	for (const [key, given] of Object.entries(flags)) {
		const list = Array.isArray(given) ? given : [given]
		const [value] = list
		if (key === 'help' || key === 'version' || value === undefined) continue
		const known = specs.get(key)
		if (!known) throw unknownOption(command, own, key)
		const { name, spec } = known
		if (spec.many) {
			values[name] = list.map((one) => checkValue(name, spec, one))
			continue
		}
		if (list.length > 1 && spec.type !== 'boolean') {
			throw wrongUsage('repeated_option', `--${name} was given more than once: give it once.`)
		}
		values[name] = spec.type === 'boolean' ? list.at(-1) : checkValue(name, spec, value)
	}
	return values
}

const isEmpty = (value: unknown) =>
	value === undefined || (Array.isArray(value) && value.length === 0)

function unknownOption(command: CommandSpec, own: readonly string[], key: string): StyrbyError {
	const dashed = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
	const short = key.length === 1 && !own.some((word) => word.startsWith(`--${key}`))
	const what = command.name === '' ? 'styrby-tui' : `"styrby-tui ${command.name}"`
	const near = nearest(dashed, [...Object.keys(command.flags), 'help', 'version'])
	const hint =
		near === null
			? `see "styrby-tui ${`${command.name} --help`.trim()}" for those there are.`
			: `did you mean --${near}?`
	return wrongUsage(
		'unknown_option',
		`${what} has no option ${short ? '-' : '--'}${dashed}: ${hint}`,
	)
}

function checkValue(name: string, spec: FlagSpec, value: unknown): unknown {
	if (value === '') throw wrongUsage('missing_value', `--${name} needs a value (${spec.value}).`)
	if (spec.type === 'number') {
		const { min = -Infinity, max = Infinity, whole = false } = spec
		const number = typeof value === 'number' ? value : Number.NaN
		const fits = number >= min && number <= max && (!whole || Number.isInteger(number))
		if (!fits || !Number.isFinite(number)) {
			throw wrongUsage('bad_value', `--${name} takes ${rangeText(spec)}.`)
		}
	}
	if (spec.choices && !spec.choices.includes(String(value))) {
		throw wrongUsage('bad_value', `--${name} is one of ${spec.choices.join(', ')}.`)
	}
	return value
}

function rangeText({ min, max, whole }: FlagSpec): string {
	const what = whole ? 'a whole number' : 'a number'
	if (min === undefined) return what
	return max === undefined ? `${what}, ${min} or more` : `${what} from ${min} to ${max}`
}
