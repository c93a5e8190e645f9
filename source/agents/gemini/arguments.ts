/** Arguments for Gemini CLI: what the person gave after `--`, and where each of it goes. */
import { exit, StyrbyError } from '../../protocol/errors.ts'

/** What makes another kind of run of it than the one that is hosted here. */
const refused: readonly string[] = [
	'--acp',
	'--experimental-acp',
	'-p',
	'--prompt',
	'-o',
	'--output-format',
	'-l',
	'--list-extensions',
	'--list-sessions',
	'--delete-session',
]
/** What only a run in its own interface takes. */
const nativeOnly: readonly string[] = [
	'-i',
	'--prompt-interactive',
	'--session-file',
	'--session-id',
]
/** Options that are followed by a value. */
const valued: ReadonlySet<string> = new Set([
	'-m',
	'--model',
	'--approval-mode',
	'--policy',
	'--admin-policy',
	'--allowed-mcp-server-names',
	'--allowed-tools',
	'-e',
	'--extensions',
	'--include-directories',
	'-w',
	'--worktree',
])

export interface HeadlessArguments {
	/** A session to go on with: its id, or `latest`. */
	resume: string | null
	rest: string[]
}

/** Throws `agent_arguments` for what can not be done. */
export function headlessArguments(args: readonly string[]): HeadlessArguments {
	checkArguments(args)
	let resume: string | null = null
	const rest: string[] = []
	for (let index = 0; index < args.length; index++) {
		const arg = args[index] ?? ''
		const [name, value] = splitOption(arg)
		if (nativeOnly.includes(name)) throw bad(`Headless, Gemini CLI takes no ${name}: leave it out.`)
		if (name === '--resume' || name === '-r') {
			resume = value ?? args[++index] ?? ''
			checkSession(resume)
		} else if (!arg.startsWith('-')) {
			throw bad(
				'Headless, the prompt of Gemini CLI is what follows `--headless`: leave the other out.',
			)
		} else {
			rest.push(arg)
			if (valued.has(arg) && args[index + 1] !== undefined) rest.push(args[++index] ?? '')
		}
	}
	return { resume, rest }
}

/** `--name=value` as name and value. */
function splitOption(arg: string): [string, string | undefined] {
	const at = arg.startsWith('--') ? arg.indexOf('=') : -1
	return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)]
}

export interface NativeArguments {
	/** A session to go on with: its id, or `latest`. */
	resume: string | null
	/** The id that a new one is to have. */
	session: string | null
	/** Started to ask nobody. */
	yolo: boolean
	rest: string[]
}

/** Throws `agent_arguments` for what can not be done. */
export function nativeArguments(args: readonly string[]): NativeArguments {
	checkArguments(args)
	const given: NativeArguments = { resume: null, session: null, yolo: false, rest: [] }
	for (let index = 0; index < args.length; index++) {
		const arg = args[index] ?? ''
		const [name, value] = splitOption(arg)
		if (name === '--session-file') {
			throw bad('Gemini CLI can not be given --session-file here: go on with it by `--resume ID`.')
		}
		if (name === '--resume' || name === '-r') {
			given.resume = value ?? args[++index] ?? ''
			checkSession(given.resume)
		} else if (name === '--session-id') given.session = value ?? args[++index] ?? ''
		else {
			const mode = name === '--approval-mode' ? (value ?? args[index + 1]) : null
			if (name === '--yolo' || name === '-y' || mode === 'yolo') given.yolo = true
			given.rest.push(arg)
		}
	}
	return given
}

/** Throws `agent_arguments` for what makes a run that can not be hosted. */
export function checkArguments(args: readonly string[]): void {
	const one = args.find((arg) =>
		refused.some((name) => arg === name || (name.startsWith('--') && arg.startsWith(`${name}=`))),
	)
	if (one !== undefined) throw bad(`Gemini CLI can not be given ${one} here: leave it out.`)
}

function checkSession(resume: string): void {
	if (resume === 'latest' || /^[\w-]{8,100}$/.test(resume)) return
	throw bad(
		"Gemini CLI's --resume needs the id of a session, or `latest`: it lists them with --list-sessions.",
	)
}

function bad(text: string): StyrbyError {
	return new StyrbyError('agent_arguments', text, { exitCode: exit.usage })
}
