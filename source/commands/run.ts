/** `run <agent>`: hosts an agent session, in its own interface or headless. */

import { constants } from 'node:os'
import type { AgentAdapter, RunningAgent } from '../agents/agent.ts'
import { keepHeapSmall } from '../config/small-heap.ts'
import { loadAdapter } from '../host/adapters.ts'
import { HostedSessions } from '../host/hosted-sessions.ts'
import { type SessionEnd, SessionHost } from '../host/session-host.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { revealText } from '../text/safe-text.ts'
import type { Invocation } from './command.ts'
import { type Context, openContext } from './context.ts'
import { finishDead } from './finish-dead.ts'
import { isInteractive } from './io.ts'
import { keepBackend } from './keep-backend.ts'
import { policyHere } from './policy-here.ts'
import { jsonOutput, plainOutput, type RunOutput, silentOutput } from './run-output.ts'
import { Warnings } from './run-warnings.ts'

export interface RunOptions {
	adapter: AgentAdapter
	/** What came after `--`. */
	args: readonly string[]
	/** The first prompt; absent: the agent's own interface, in this terminal. */
	headless?: string
	/** A headless session waits for further prompts after its turn. */
	stay: boolean
	json: boolean
}

/** How long old sessions of dead hosts may keep the end of this command waiting, ms. */
const recoveryEnd = 2000

export async function run({ args, rest, flags, io }: Invocation): Promise<number> {
	const headless = flags.text('headless')
	const json = flags.has('json')
	const stay = flags.has('stay')
	const adapter = await loadAdapter(args[0] ?? '')
	if (headless === undefined && !isInteractive(io)) {
		throw new StyrbyError(
			'no_terminal',
			'Without a terminal an agent needs its first prompt: give --headless "prompt".',
			{ exitCode: exit.usage },
		)
	}
	if (headless === undefined && json) {
		throw new StyrbyError('bad_usage', '--json goes with --headless only.', {
			exitCode: exit.usage,
		})
	}
	if (headless === undefined && stay) {
		throw new StyrbyError('bad_usage', '--stay goes with --headless only.', {
			exitCode: exit.usage,
		})
	}
	if (headless?.trim() === '') {
		throw new StyrbyError('bad_usage', 'The prompt after --headless is empty: say what to do.', {
			exitCode: exit.usage,
		})
	}
	// Before anything is started or published: an agent that is not there leaves no session behind.
	await adapter.locate(io.env, io.cwd)
	await using context = await openContext(io)
	return await runCommand(context, {
		adapter,
		args: rest,
		json,
		stay,
		...(headless === undefined ? {} : { headless }),
	})
}

/** Hosts one session to its end. Returns the agent's exit code. */
export async function runCommand(context: Context, options: RunOptions): Promise<number> {
	const { account, gateway, home, settings, io } = context
	const { adapter, headless } = options
	const native = headless === undefined
	const output = outputOf(context, options)
	using warnings = new Warnings((text) => io.stderr.write(`styrby-tui: ${text}\n`), native)
	using hosted = HostedSessions.open(home.data)
	const timeoutMs = settings.requestTimeoutMinutes * 60_000
	await using _backend = keepBackend(context)
	await using host = await SessionHost.open({
		account,
		gateway,
		dataFolder: home.data,
		agent: adapter.name,
		cwd: io.cwd,
		project: settings.project,
		timeoutMs,
		policy: policyHere(context),
		...(headless === undefined ? {} : { prompt: headless }),
		onTrouble: (error, final) => warnings.trouble(error, final),
		onRecovered: () => warnings.recovered(),
		onPublished: (entry, sealed) => output.published(entry, sealed),
		onAgentSession: (session) => hosted.hosted(adapter.name, session, host.session),
	})
	output.started(host.session)
	keepHeapSmall()
	const name = host.session.slice(0, 8)
	if (!options.json) {
		const where = 'answer with styrby-tui in another terminal'
		io.stderr.write(`styrby-tui: session ${name} is published; ${where}\n`)
	}
	const recovering = finishDead(context, {
		waitMs: 10_000,
		onTrouble: (error) => warnings.quiet(error),
	}).catch((error: unknown) => {
		// Other sessions' trouble must not end this one.
		if (!(error instanceof StyrbyError)) throw error
		warnings.quiet(error)
	})
	const { end, interrupted } = await hostAgent(context, options, host, timeoutMs)
	warnings.release()
	await Promise.race([recovering, new Promise((r) => setTimeout(r, recoveryEnd).unref())])
	const code = interrupted ? exit.interrupted : exitCodeOf(end, native)
	output.ended(end, code)
	if (!options.json) io.stderr.write(`styrby-tui: ${lastLine(name, end)}\n`)
	return code
}

function outputOf({ io, account }: Context, { headless, json }: RunOptions): RunOutput {
	if (headless === undefined) return silentOutput
	const write = (text: string) => void io.stdout.write(text)
	if (json) return jsonOutput(write)
	return plainOutput(
		write,
		() => io.stdout.columns ?? 100,
		(id) => account.deviceName(id),
	)
}

async function hostAgent(
	{ io }: Context,
	{ adapter, args, headless, stay }: RunOptions,
	host: SessionHost,
	timeoutMs: number,
): Promise<{ end: SessionEnd; interrupted: boolean }> {
	const starting = { cwd: io.cwd, args, env: io.env, requestTimeoutMs: timeoutMs }
	let agent: RunningAgent
	using signals = new Signals(host, headless !== undefined)
	try {
		agent = await adapter.start(headless === undefined ? starting : { ...starting, headless, stay })
	} catch (error) {
		if (error instanceof StyrbyError) await host.fail(error)
		throw error
	}
	await using _ = agent
	signals.agent(agent)
	const end = await host.run(agent)
	return { end, interrupted: signals.interrupted }
}

/**
 * What the system asks of us goes on to the agent: it ends, and its session with it. In its own interface
 * ctrl-c is a key of the agent's.
 */
class Signals implements Disposable {
	interrupted = false
	readonly #host: SessionHost
	readonly #headless: boolean
	#agent: RunningAgent | null = null
	#stopping = false
	readonly #end = (signal: NodeJS.Signals) => void this.#stop(`The host got ${signal}.`)
	readonly #interrupt = () => {
		this.interrupted = true
		void this.#stop('Interrupted at the host.')
	}

	constructor(host: SessionHost, headless: boolean) {
		this.#host = host
		this.#headless = headless
		process.on('SIGTERM', this.#end)
		process.on('SIGHUP', this.#end)
		if (headless) process.on('SIGINT', this.#interrupt)
	}

	/** The agent runs from now on; it ends at once where it was asked to before. */
	agent(agent: RunningAgent): void {
		this.#agent = agent
		if (this.#stopping) void agent.stop()
	}

	async #stop(why: string): Promise<void> {
		this.#host.stopping(why)
		if (this.#stopping) return
		this.#stopping = true
		try {
			if (this.#headless) await this.#agent?.interrupt()
		} catch (error) {
			// An agent that can't be interrupted is stopped all the same.
			if (!(error instanceof StyrbyError)) throw error
		} finally {
			await this.#agent?.stop()
		}
	}

	[Symbol.dispose](): void {
		process.off('SIGTERM', this.#end)
		process.off('SIGHUP', this.#end)
		process.off('SIGINT', this.#interrupt)
	}
}

/**
 * The agent's own code; 128 and the signal's number where a signal ended it. An agent that has no interface
 * of its own is ended when its device is revoked.
 */
function exitCodeOf({ code, signal, revoked }: SessionEnd, native: boolean): number {
	if (revoked && !native) return exit.notSignedIn
	if (code !== null) return code
	const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1]
	return number === undefined ? exit.failed : 128 + number
}

function lastLine(name: string, { status, pending, delivered, revoked }: SessionEnd): string {
	const ended = status === 'error' ? 'ended with an error' : 'ended'
	if (revoked)
		return `session ${name} ${ended}; it is published up to where this device was revoked`
	if (delivered) return `session ${name} ${ended}; all of it is published`
	if (pending === 0) return `session ${name} ${ended}; not all of it could be kept`
	return revealText(
		`session ${name} ${ended}; ${pending} of its messages wait on this machine and are sent by the next styrby-tui command`,
	)
}
