/** Arguments of `codex`: what the person gave, for the interface and for the app-server behind it. */
import { resolve } from 'node:path'
import { exit, StyrbyError } from '../../protocol/errors.ts'

/** What a thread is opened with. */
export interface ThreadArguments {
	/** Settings for the app-server: `-c`, `--enable`, `--disable`. */
	server: string[]
	/** A thread to go on with. */
	resume: string | null
	/** Parameters of `thread/start` and `thread/resume`. */
	params: {
		cwd: string
		model?: string
		sandbox?: string
		approvalPolicy?: string
		approvalsReviewer?: string
	}
}

const serverFlags = new Map([
	['-c', '-c'],
	['--config', '-c'],
	['--enable', '--enable'],
	['--disable', '--disable'],
])

const valueFlags = new Map([
	['-m', 'model'],
	['--model', 'model'],
	['-s', 'sandbox'],
	['--sandbox', 'sandbox'],
	['-a', 'approvalPolicy'],
	['--ask-for-approval', 'approvalPolicy'],
	['-C', 'cwd'],
	['--cd', 'cwd'],
])

/**
 * The arguments of a session without an interface. Throws `agent_argument` for one that can't be kept
 * there: it is never dropped in silence.
 */
export function headlessArguments(args: readonly string[], cwd: string): ThreadArguments {
	const found: ThreadArguments = { server: [], resume: null, params: { cwd } }
	const queue = [...args]
	for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
		const [flag, joined] = splitFlag(arg)
		const value = () => joined ?? queue.shift() ?? missing(flag)
		const server = serverFlags.get(flag)
		const param = valueFlags.get(flag)
		if (server !== undefined) found.server.push(server, value())
		else if (param === 'cwd') found.params.cwd = resolve(cwd, value())
		else if (param === 'model') found.params.model = value()
		else if (param === 'sandbox') found.params.sandbox = value()
		else if (param === 'approvalPolicy') found.params.approvalPolicy = value()
		else if (arg === '--approve-for-me') found.params.approvalsReviewer = 'auto_review'
		else if (arg === '--dangerously-bypass-approvals-and-sandbox' || arg === '--yolo') {
			found.params.approvalPolicy = 'never'
			found.params.sandbox = 'danger-full-access'
		} else if (arg === 'resume' && found.resume === null) {
			const id = queue.shift()
			if (id === undefined || id.startsWith('-')) throw resumeWhat()
			found.resume = id
		} else throw unknown(arg)
	}
	return found
}

/** Settings among the arguments that the app-server behind the interface needs too. */
export function serverArguments(args: readonly string[]): string[] {
	const found: string[] = []
	for (let i = 0; i < args.length; i++) {
		const arg = args[i] ?? ''
		if (arg === '--') break
		const [flag, joined] = splitFlag(arg)
		const server = serverFlags.get(flag)
		if (server === undefined) continue
		const value = joined ?? args[++i]
		if (value !== undefined) found.push(server, value)
	}
	return found
}

/** Commands of `codex` that open its interface, behind which we can stand. */
const interfaceCommands = new Set(['resume', 'fork'])
const otherCommands = new Set([
	'agents',
	'exec',
	'e',
	'review',
	'login',
	'logout',
	'mcp',
	'plugin',
	'app-server',
	'remote-control',
	'completion',
	'update',
	'doctor',
	'sandbox',
	'debug',
	'apply',
	'a',
	'queue',
	'archive',
	'delete',
	'unarchive',
	'cloud',
	'exec-server',
	'features',
	'migrate-rollouts',
	'migrate-nfs-db',
	'help',
])

/** Flags of the interface that take a value, besides those above. */
const otherValueFlags = new Set([
	'-i',
	'--image',
	'-p',
	'--profile',
	'--add-dir',
	'--local-provider',
])

export interface NativeArguments {
	args: string[]
	/** Permissions for the session that is resumed or forked, which a remote interface can't be told. */
	overrides: { sandbox?: string; approvalPolicy?: string }
}

/**
 * The arguments of the interface: ours first, so that they hold for its commands too. Throws
 * `agent_argument` for a command that has no session, and for a connection of the person's own.
 */
export function nativeArguments(args: readonly string[], own: readonly string[]): NativeArguments {
	const remote = args.find((arg) => /^--remote(?:-auth-token-env)?(?:=|$)/.test(arg))
	if (remote !== undefined) throw unknown(remote)
	const command = commandOf(args)
	if (command !== null && otherCommands.has(command)) throw unknown(command)
	if (command === null || !interfaceCommands.has(command)) {
		return { args: [...own, ...args], overrides: {} }
	}
	const kept: string[] = []
	const overrides: NativeArguments['overrides'] = {}
	const queue = [...args]
	for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
		const [flag, joined] = splitFlag(arg)
		const param = valueFlags.get(flag)
		if (param === 'sandbox' || param === 'approvalPolicy') {
			overrides[param] = joined ?? queue.shift() ?? missing(flag)
		} else kept.push(arg)
	}
	return { args: [...own, ...kept], overrides }
}

/** The first argument that is neither a flag nor its value, if it is a command. */
function commandOf(args: readonly string[]): string | null {
	for (let i = 0; i < args.length; i++) {
		const arg = args[i] ?? ''
		if (arg === '--') return null
		if (!arg.startsWith('-')) return arg
		const [flag, joined] = splitFlag(arg)
		const takesValue = serverFlags.has(flag) || valueFlags.has(flag) || otherValueFlags.has(flag)
		if (takesValue && joined === null) i++
	}
	return null
}

function splitFlag(arg: string): [string, string | null] {
	const at = arg.startsWith('-') ? arg.indexOf('=') : -1
	if (at > 0) return [arg.slice(0, at), arg.slice(at + 1)]
	return [arg, null]
}

function missing(flag: string): never {
	throw usage(`The argument ${flag} for Codex needs a value.`)
}

function resumeWhat(): StyrbyError {
	return usage('Say which session to resume: `styrby-tui run codex --headless "…" -- resume ID`.')
}

function unknown(arg: string): StyrbyError {
	const name = arg.replace(/[^\w.=-]/gu, '?').slice(0, 60)
	return usage(`Codex can not be hosted with ${name}; leave it out, or run codex by itself.`)
}

function usage(text: string): StyrbyError {
	return new StyrbyError('agent_argument', text, { exitCode: exit.usage })
}
