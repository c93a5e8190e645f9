/** Arguments for OpenCode: what the person gave after `--`, and where each of it goes. */
import { parseArgs } from 'node:util'
import { exit, StyrbyError } from '../../protocol/errors.ts'

export interface Arguments {
	/** A session to go on with, or the last one of this folder. */
	session: string | null
	last: boolean
	fork: boolean
	/** `provider/model`. */
	model: string | null
	/** The agent of OpenCode's that works: build, plan, or one of the person's own. */
	agent: string | null
	variant: string | null
	/** The person does not want to be asked beyond what OpenCode asks by itself. */
	auto: boolean
	/** For the interface, as they are. */
	rest: string[]
}

const options = {
	session: { type: 'string', short: 's' },
	continue: { type: 'boolean', short: 'c' },
	fork: { type: 'boolean' },
	model: { type: 'string', short: 'm' },
	agent: { type: 'string' },
	variant: { type: 'string' },
	auto: { type: 'boolean' },
} as const

/** How the interface reaches its server is ours to say. */
const ours = ['--dir', '--password', '-p', '--username', '-u', '--port', '--hostname', '--mdns']

/** Throws `agent_arguments` for what can not be done. */
export function readArguments(args: readonly string[], headless: boolean): Arguments {
	const known: Record<string, string | true> = {}
	const rest: string[] = []
	const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
	for (const token of tokens) {
		const raw = args[token.index] ?? ''
		if (token.kind === 'option' && Object.hasOwn(options, token.name)) {
			known[token.name] = token.value ?? true
		} else if (rest.at(-1) !== raw || token.kind !== 'option') rest.push(raw)
	}
	const taken = rest.find((arg) => ours.some((flag) => arg === flag || arg.startsWith(`${flag}=`)))
	if (taken !== undefined) throw bad(`OpenCode can not be given ${taken} here: leave it out.`)
	const [first] = rest
	if (headless && first !== undefined) {
		const list = Object.keys(options).map((name) => `--${name}`)
		throw bad(`Headless, OpenCode takes ${list.join(', ')}, not ${first}: leave it out.`)
	}
	if (known.variant !== undefined && !headless) {
		throw bad("OpenCode's interface takes no --variant: choose it there, or use --headless.")
	}
	const text = (name: keyof typeof options): string | null => {
		const value = known[name]
		if (value === true) throw bad(`OpenCode's --${name} needs a value: give it one.`)
		return value ?? null
	}
	return {
		session: text('session'),
		last: known.continue !== undefined,
		fork: known.fork !== undefined,
		model: text('model'),
		agent: text('agent'),
		variant: text('variant'),
		auto: known.auto !== undefined,
		rest,
	}
}

/** For `opencode attach`, which takes the model and the agent from the server's settings. */
export function attachArguments(url: string, cwd: string, given: Arguments): string[] {
	return [
		'attach',
		url,
		'--dir',
		cwd,
		...(given.session === null ? [] : ['--session', given.session]),
		...(given.last ? ['--continue'] : []),
		...(given.fork ? ['--fork'] : []),
		...given.rest,
	]
}

function bad(text: string): StyrbyError {
	return new StyrbyError('agent_arguments', text, { exitCode: exit.usage })
}
