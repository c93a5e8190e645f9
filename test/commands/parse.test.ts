import { expect, test } from 'vitest'
import { parseArguments, splitArguments } from '../../source/commands/parse.ts'
import { commands, membersOf } from '../../source/commands/table.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'

const parse = (line: string) => parseArguments(line === '' ? [] : line.split(' '), import.meta)

/** The code and the sentence of what is wrong with a command line. */
function refusal(argv: string | string[]): [string, string] {
	try {
		parseArguments(typeof argv === 'string' ? argv.split(' ') : argv, import.meta)
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		expect(error.exitCode).toBe(2)
		return [error.code, error.message]
	}
	throw new Error(`accepted: ${argv}`)
}

test('nothing, and --json alone, is the viewer', () => {
	expect(parse('').command.name).toBe('')
	expect(parse('--json').command.name).toBe('')
	expect(parse('--json').flags.has('json')).toBe(true)
})

test('flags come before and after arguments, with a space or =', () => {
	const { command, args, flags } = parse('approve --reason fine 3f2a91c0 --wait=2.5 --yes')
	expect(command.name).toBe('approve')
	expect(args).toEqual(['3f2a91c0'])
	expect(flags.text('reason')).toBe('fine')
	expect(flags.number('wait')).toBe(2.5)
	expect(flags.has('yes')).toBe(true)
	expect(flags.has('json')).toBe(false)
	expect(flags.text('scope')).toBeUndefined()
})

test('what could be a number or a flag elsewhere stays text where text is wanted', () => {
	expect(parse('show 12345678').args).toEqual(['12345678'])
	expect(parse('sessions --project 2026').flags.text('project')).toBe('2026')
})

test('what stands behind -- is not ours', () => {
	const { args, rest, flags } = parse('run claude --json -- --json --help -- x')
	expect(args).toEqual(['claude'])
	expect(rest).toEqual(['--json', '--help', '--', 'x'])
	expect(flags.has('json')).toBe(true)
	expect(splitArguments(['run', 'claude', '--', '--json'])).toEqual([['run', 'claude'], ['--json']])
})

test('a lone hyphen is a value: from stdin', () => {
	expect(parse('login --join -').flags.text('join')).toBe('-')
	expect(parse('login --json --join -').flags.text('join')).toBe('-')
	expect(() => parse('login --join')).toThrow('--join needs a value')
})

test.each(['--help', '-h', 'help'])('%s is the help of all', (line) => {
	const { command, help } = parse(line)
	expect([command.name, help]).toEqual(['', true])
})

test.each(['show --help', 'show -h', 'help show', 'show a b c --help'])(
	'%s is the help of one',
	(line) => {
		const { command, help } = parse(line)
		expect([command.name, help]).toEqual(['show', true])
	},
)

test.each([
	['devices', 'devices', []],
	['devices --json', 'devices', []],
	['devices verify --json', 'devices verify', []],
	['devices --json verify', 'devices verify', []],
	['--json devices rename 3f2a laptop', 'devices rename', ['3f2a', 'laptop']],
	['devices rename 12345678 2026', 'devices rename', ['12345678', '2026']],
	['devices revoke laptop --reason log --yes', 'devices revoke', ['laptop']],
])('%s is a command of a family', (line, name, args) => {
	const { command, args: given } = parse(line)
	expect([command.name, given]).toEqual([name, args])
})

test.each(['devices approve --help', 'help devices approve', 'devices approve X -h'])(
	'%s is the help of a command of a family',
	(line) => {
		const { command, help } = parse(line)
		expect([command.name, help]).toEqual(['devices approve', true])
	},
)

test('only options without a value stand before the second word of a family', () => {
	for (const family of commands.filter(({ name }) => membersOf(name).length > 0)) {
		expect(family.flags).toHaveProperty('json')
		for (const { type } of Object.values(family.flags)) expect(type).toBe('boolean')
	}
})

test.each(['--version', '-v'])('%s is the version', (line) => {
	expect(parse(line).version).toBe(true)
})

test.each([
	['sesions', 'unknown_command', 'There is no command "sesions": did you mean "sessions"?'],
	['perm', 'unknown_command', 'There is no command "perm": did you mean "permissions"?'],
	[
		'frobnicate',
		'unknown_command',
		'There is no command "frobnicate": see "styrby-tui --help" for those there are.',
	],
	['help sesions', 'unknown_command', 'There is no command "sesions": did you mean "sessions"?'],
	[
		'sessions --jsn',
		'unknown_option',
		'"styrby-tui sessions" has no option --jsn: did you mean --json?',
	],
	[
		'sessions -x',
		'unknown_option',
		'"styrby-tui sessions" has no option -x: see "styrby-tui sessions --help" for those there are.',
	],
	[
		'--frobnicate',
		'unknown_option',
		'styrby-tui has no option --frobnicate: see "styrby-tui --help" for those there are.',
	],
	[
		'devices aprove X',
		'unknown_command',
		'There is no command "devices aprove": did you mean "devices approve"?',
	],
	[
		'help devices rev',
		'unknown_command',
		'There is no command "devices rev": did you mean "devices revoke"?',
	],
	[
		'devices frobnicate',
		'unknown_command',
		'There is no command "devices frobnicate": see "styrby-tui devices --help" for those there are.',
	],
	[
		'revoke laptop',
		'unknown_command',
		'There is no command "revoke": did you mean "devices revoke"?',
	],
	['device', 'unknown_command', 'There is no command "device": did you mean "devices"?'],
	[
		'devices approve',
		'wrong_arguments',
		'"styrby-tui devices approve" needs <code>: styrby-tui devices approve <code>',
	],
	[
		'devices rename laptop',
		'wrong_arguments',
		'"styrby-tui devices rename" needs <name>: styrby-tui devices rename <device> <name>',
	],
	[
		'devices verify now',
		'wrong_arguments',
		'"styrby-tui devices verify" takes no "now": see "styrby-tui devices verify --help".',
	],
	[
		'devices revoke x --dryrun',
		'unknown_option',
		'"styrby-tui devices revoke" has no option --dryrun: did you mean --dry-run?',
	],
	[
		'devices --limit 5 log',
		'unknown_option',
		'"styrby-tui devices" has no option --limit: see "styrby-tui devices --help" for those there are.',
	],
	['sessions --agent', 'missing_value', '--agent needs a value (NAME).'],
	['sessions --agent=', 'missing_value', '--agent needs a value (NAME).'],
	[
		'sessions --agent clod',
		'bad_value',
		'--agent is one of claude, codex, gemini, opencode, aider.',
	],
	['sessions --limit abc', 'bad_value', '--limit takes a whole number, 1 or more.'],
	['sessions --limit 0', 'bad_value', '--limit takes a whole number, 1 or more.'],
	['sessions --limit=-3', 'bad_value', '--limit takes a whole number, 1 or more.'],
	['sessions --limit 1.5', 'bad_value', '--limit takes a whole number, 1 or more.'],
	['sessions --limit', 'missing_value', '--limit needs a value (N).'],
	['deny 1234 --reason --yes', 'missing_value', '--reason needs a value (TEXT).'],
	['approve 1234 --wait=-1', 'bad_value', '--wait takes a number, 0 or more.'],
	['serve --port 70000', 'bad_value', '--port takes a whole number from 1 to 65535.'],
	[
		'sessions --agent claude --agent codex',
		'repeated_option',
		'--agent was given more than once: give it once.',
	],
	['show', 'wrong_arguments', '"styrby-tui show" needs <session>: styrby-tui show <session>'],
	[
		'import',
		'wrong_arguments',
		'"styrby-tui import" needs <file or folder>: styrby-tui import <file or folder>',
	],
	[
		'show one two',
		'wrong_arguments',
		'"styrby-tui show" takes no "two": see "styrby-tui show --help".',
	],
	[
		'sessions extra',
		'wrong_arguments',
		'"styrby-tui sessions" takes no "extra": see "styrby-tui sessions --help".',
	],
])('%s: %s', (line, code, message) => {
	expect(refusal(line)).toEqual([code, message])
})

test('an empty command is none', () => {
	expect(refusal([''])[0]).toBe('unknown_command')
})
