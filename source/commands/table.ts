/** Every command and flag, once: help, completion, parsing and the readme's table follow from this. */
import { adapterNames } from '../host/adapters.ts'
import { agentNames, sessionStatuses } from '../protocol/names.ts'
import type { CommandSpec, FlagSpec } from './command.ts'
import { devicesCommands } from './devices/table.ts'
import { hooksCommands } from './hooks/table.ts'
import { json, mouse, screenReader, yes } from './shared-flags.ts'

const limit: FlagSpec = {
	type: 'number',
	value: 'N',
	min: 1,
	whole: true,
	summary: 'at most N (default: 50)',
}
const agent: FlagSpec = {
	type: 'string',
	value: 'NAME',
	choices: agentNames,
	summary: 'only this agent',
}
const answerFlag: FlagSpec = {
	type: 'string',
	value: 'TEXT',
	many: true,
	summary:
		'the answer to a question, by number, label or in your own words; once for each, in order',
}
const wait: FlagSpec = {
	type: 'number',
	value: 'SECONDS',
	min: 0,
	summary: 'how long to wait for the host (default: 10)',
}
const answering = {
	scope: {
		type: 'string',
		value: 'SCOPE',
		choices: ['once', 'session'],
		summary: 'how far the answer reaches (default: once)',
	},
	reason: { type: 'string', value: 'TEXT', summary: 'told to the agent' },
	expect: {
		type: 'string',
		value: 'DIGEST',
		summary: 'refuse unless this is the request that was looked at',
	},
	wait,
	yes,
	json,
} as const satisfies Record<string, FlagSpec>

/** The full-screen viewer, which runs when no command is given. */
export const viewerCommand: CommandSpec = {
	name: '',
	usage: '',
	summary: 'the full-screen viewer; without a terminal: the list of sessions',
	args: { min: 0, max: 0 },
	flags: { json, mouse, 'screen-reader': screenReader },
}

export const commands: readonly CommandSpec[] = [
	{
		name: 'demo',
		usage: 'demo',
		summary: 'play recorded sessions through the real pipeline, in a throw-away profile',
		args: { min: 0, max: 0 },
		flags: { mouse, 'screen-reader': screenReader },
	},
	{
		name: 'run',
		usage: 'run <agent> [-- agent arguments]',
		summary: 'host an agent session, so that it can be watched and answered elsewhere',
		args: { min: 1, max: 1, choices: adapterNames },
		flags: {
			headless: {
				type: 'string',
				value: 'PROMPT',
				summary: "without the agent's own interface, starting with this prompt",
			},
			stay: {
				type: 'boolean',
				summary: 'with --headless: wait for further prompts from a viewer when its turn is over',
			},
			json,
		},
	},
	{
		name: 'sessions',
		usage: 'sessions',
		summary: 'list sessions',
		args: { min: 0, max: 0 },
		flags: {
			agent,
			status: {
				type: 'string',
				value: 'STATUS',
				choices: sessionStatuses,
				summary: 'only with this status',
			},
			project: { type: 'string', value: 'NAME', summary: 'only of this project' },
			since: {
				type: 'string',
				value: 'TIME',
				summary: 'only active since, such as 2h, 7d, 2026-01-31',
			},
			limit,
			json,
		},
	},
	{
		name: 'show',
		usage: 'show <session>',
		summary: "print a session's transcript",
		args: { min: 1, max: 1 },
		flags: {
			follow: { type: 'boolean', summary: 'go on as it grows, until the session ends' },
			raw: { type: 'boolean', summary: 'print the rows as the server holds them' },
			json,
		},
	},
	{
		name: 'export',
		usage: 'export <session>',
		summary: 'write a session out in the clear, as Markdown or JSON Lines',
		args: { min: 1, max: 1 },
		flags: {
			format: {
				type: 'string',
				value: 'FORMAT',
				choices: ['markdown', 'jsonl'],
				summary: 'default: by the name of the file, else markdown',
			},
			output: {
				type: 'string',
				value: 'FILE',
				summary: 'write to this file, which only you can read (default: stdout)',
			},
			force: { type: 'boolean', summary: 'overwrite the file if it is there' },
		},
	},
	{
		name: 'search',
		usage: 'search <words>',
		summary: 'find what was said, on this machine alone: words, "phrases", -not, agent:x, since:7d',
		args: { min: 1, max: 100 },
		flags: { limit, json },
	},
	{
		name: 'permissions',
		usage: 'permissions',
		summary: 'list permission requests that wait for an answer',
		args: { min: 0, max: 0 },
		flags: {
			all: { type: 'boolean', summary: 'past ones too, and who decided' },
			watch: {
				type: 'boolean',
				summary: 'print each one as it comes; with --all what became of it',
			},
			brief: { type: 'boolean', summary: 'one line with how many wait, for a status bar' },
			wait: { type: 'boolean', summary: 'end with the next one' },
			json,
		},
	},
	{
		name: 'permissions policy',
		usage: 'permissions policy',
		summary: 'the rules by which this machine answers; behind it: test COMMAND, check',
		args: { min: 0, max: 2, choices: ['test', 'check'] },
		flags: {
			agent: { ...agent, summary: 'test: as if this agent asked (default: claude)' },
			tool: {
				type: 'string',
				value: 'NAME',
				summary: 'test: for this tool (default: Bash for a command, else Write)',
			},
			path: { type: 'string', value: 'FILE', summary: 'test: for this file' },
			cwd: {
				type: 'string',
				value: 'FOLDER',
				summary: 'test: in a session that was started there (default: here)',
			},
			input: {
				type: 'string',
				value: 'JSON',
				summary: "test: with this input of the agent's tool",
			},
			request: { type: 'string', value: 'ID', summary: 'test: a request that an agent has made' },
			json,
		},
	},
	{
		name: 'approve',
		usage: 'approve <request>',
		summary: 'allow what a request asks for, or answer its questions',
		args: { min: 1, max: 1 },
		flags: { answer: answerFlag, ...answering },
	},
	{
		name: 'deny',
		usage: 'deny <request>',
		summary: 'refuse what a request asks for',
		args: { min: 1, max: 1 },
		flags: answering,
	},
	{
		name: 'prompt',
		usage: 'prompt <session> <text>',
		summary: 'send a prompt to an agent; a text of - is read from stdin',
		args: { min: 2, max: 2 },
		flags: { wait, json },
	},
	{
		name: 'interrupt',
		usage: 'interrupt <session>',
		summary: 'interrupt what an agent is doing',
		args: { min: 1, max: 1 },
		flags: { wait, json },
	},
	{
		name: 'mode',
		usage: 'mode <session> [mode]',
		summary: 'put an agent in another permission mode; without one: which it takes',
		args: { min: 1, max: 2 },
		flags: { wait, json },
	},
	...devicesCommands,
	...hooksCommands,
	{
		name: 'cost',
		usage: 'cost',
		summary: 'what was spent: tokens and cost, by day, agent, project or model',
		args: { min: 0, max: 0 },
		flags: {
			by: {
				type: 'string',
				value: 'WHAT',
				summary: 'day (default), agent, project, model, or several: day,model',
			},
			since: {
				type: 'string',
				value: 'TIME',
				summary: 'such as 7d, 2026-01-31 or all (default: 30d)',
			},
			agent,
			project: { type: 'string', value: 'NAME', summary: 'only of this project' },
			model: { type: 'string', value: 'NAME', summary: 'only with this model' },
			csv: { type: 'boolean', summary: 'print CSV' },
			json,
		},
	},
	{
		name: 'import',
		usage: 'import <file or folder>',
		summary: "bring an agent's own history in; importing again changes nothing",
		args: { min: 1, max: 1 },
		flags: {
			agent: { ...agent, summary: 'whose history it is (default: told by its content)' },
			json,
		},
	},
	{
		name: 'login',
		usage: 'login',
		summary: 'choose a backend and sign in to it; alone: the embedded one of this machine',
		args: { min: 0, max: 0 },
		flags: {
			url: {
				type: 'string',
				value: 'URL',
				summary: 'a Supabase project, or one signed in to before',
			},
			'anon-key': {
				type: 'string',
				value: 'KEY',
				summary: 'its public key ("anon", "publishable")',
			},
			email: { type: 'string', value: 'ADDRESS', summary: 'whose account (default: asked for)' },
			'password-file': {
				type: 'string',
				value: 'FILE',
				summary: 'the password is its one line (default: asked for, or one line of stdin)',
			},
			code: { type: 'boolean', summary: 'sign in with a code that is sent by e-mail' },
			'new-account': {
				type: 'boolean',
				summary: 'accept that the address leads to another account than before',
			},
			join: {
				type: 'string',
				value: 'TOKEN',
				summary: 'a server of your own, by what its "serve" printed (-: asked for, or stdin)',
			},
			json,
		},
	},
	{
		name: 'logout',
		usage: 'logout',
		summary: 'end the sign-in in use, there and here; the keys of this device stay',
		args: { min: 0, max: 0 },
		flags: { json },
	},
	{
		name: 'status',
		usage: 'status',
		summary: 'backend, account, device, vault, and what waits to be sent',
		args: { min: 0, max: 0 },
		flags: { json },
	},
	{
		name: 'verify',
		usage: 'verify',
		summary: 'prove what the server can see, and check the whole local history',
		args: { min: 0, max: 0 },
		flags: { json },
	},
	{
		name: 'doctor',
		usage: 'doctor',
		summary: 'each thing this needs, whether it is there, and how to mend it',
		args: { min: 0, max: 0 },
		flags: { json },
	},
	{
		name: 'serve',
		usage: 'serve',
		summary: 'run the embedded backend in the foreground',
		args: { min: 0, max: 0 },
		flags: {
			port: {
				type: 'number',
				value: 'PORT',
				min: 1,
				max: 65_535,
				whole: true,
				summary: 'on this loopback port (default: the one of last time)',
			},
			data: { type: 'string', value: 'FOLDER', summary: 'with its data in this folder' },
			'database-url': { type: 'string', value: 'URL', summary: 'over this PostgreSQL database' },
			listen: {
				type: 'string',
				value: 'HOST:PORT',
				summary: 'for other machines too, over TLS (HOST: an address of this one, or 0.0.0.0)',
			},
			name: { type: 'string', value: 'HOST', summary: 'what other machines call this one' },
			'tls-cert': {
				type: 'string',
				value: 'FILE',
				summary: 'with this certificate (default: its own)',
			},
			'tls-key': { type: 'string', value: 'FILE', summary: 'and its key' },
			'join-token': {
				type: 'boolean',
				summary: 'print a new token for "login --join", from the one that runs',
			},
		},
	},
	{
		name: 'completion',
		usage: 'completion <bash|zsh|fish>',
		summary: 'print a completion script',
		args: { min: 1, max: 1, choices: ['bash', 'zsh', 'fish'] },
		flags: {},
	},
]

/** The commands of a family, such as `devices add` of `devices`; none for a command that stands alone. */
export function membersOf(name: string): readonly CommandSpec[] {
	return commands.filter((command) => command.name.startsWith(`${name} `))
}
