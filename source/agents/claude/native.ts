/**
 * Claude Code in its own interface, in this terminal. Hooks tell what happens and hold permission requests
 * open; the content is read from the transcript. Should we fail, the agent goes on as without us.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { AgentAnswer, AgentOutput, RunningAgent, StartOptions } from '../agent.ts'
import { inItsInterface } from '../cannot.ts'
import { childEnvironment } from '../child-environment.ts'
import { type Ended, hasEnded, spawned, terminate, watchEnd } from '../child-process.ts'
import { endWithHost } from '../end-with-host.ts'
import { giveBackTerminal } from '../give-back-terminal.ts'
import { OutputQueue } from '../output-queue.ts'
import { modeArguments, takeFlag } from './arguments.ts'
import { HookServer } from './hook-server.ts'
import { readSettings, SettingsFile, withHooks } from './hook-settings.ts'
import { NativeSession } from './native-session.ts'
import { configFolder } from './registry.ts'

const graceMs = 5000

/**
 * Starts the agent's own interface with this process's terminal. Throws `agent_failed`, or `agent_settings`
 * when the person's `--settings` can't be read.
 */
export async function startNative(path: string, options: StartOptions): Promise<RunningAgent> {
	await using cleanup = new AsyncDisposableStack()
	const queue = new OutputQueue<AgentOutput>()
	const { value, rest } = takeFlag(options.args, '--settings')
	const settings = await readSettings(value, options.cwd)

	const token = randomBytes(32).toString('base64url')
	const session = new NativeSession({
		cwd: options.cwd,
		folder: configFolder(options.env),
		onOutput: (output) => queue.push(output),
		crowded: () => queue.crowded,
	})
	const server = cleanup.use(await HookServer.start(token, (call) => session.hook(call)))
	const url = `http://127.0.0.1:${server.port}/hook`
	const file = cleanup.use(
		await SettingsFile.write(withHooks(settings, url, token, options.requestTimeoutMs)),
	)
	const mode = modeArguments(rest)
	const child = spawn(path, ['--settings', file.path, ...mode, ...rest], {
		cwd: options.cwd,
		env: withoutProxyToUs(childEnvironment(options.env)),
		stdio: 'inherit',
	})
	const ended = watchEnd(child)
	await spawned(child, 'Claude Code')
	endWithHost(child, file.folder)
	session.started({ pid: child.pid, gone: () => hasEnded(child) })
	queue.push({ type: 'about', takes: { prompt: false, interrupt: true, modes: [] } })
	return new NativeAgent(child, ended, session, queue, cleanup.move(), options.signal)
}

class NativeAgent implements RunningAgent {
	readonly name = 'claude'
	readonly ended: Promise<Ended>
	readonly output: AsyncIterable<AgentOutput>
	readonly #child: ChildProcess
	readonly #session: NativeSession

	constructor(
		child: ChildProcess,
		ended: Promise<Ended>,
		session: NativeSession,
		queue: OutputQueue<AgentOutput>,
		cleanup: AsyncDisposableStack,
		signal: AbortSignal | undefined,
	) {
		this.#child = child
		this.#session = session
		this.output = queue
		const abort = () => void this.stop()
		signal?.addEventListener('abort', abort, { once: true })
		// Keys belong to the agent: an interrupt typed before it has the terminal must not end the host.
		process.on('SIGINT', ignore)
		this.ended = ended.then(async (how) => {
			process.off('SIGINT', ignore)
			giveBackTerminal(how, true)
			signal?.removeEventListener('abort', abort)
			await session.end()
			queue.close()
			await cleanup.disposeAsync()
			return how
		})
	}

	answer(id: string, answer: AgentAnswer): Promise<boolean> {
		return this.#session.requests.answer(id, answer)
	}

	async prompt(): Promise<void> {
		throw inItsInterface('type the prompt there, or start one with `--headless`')
	}

	async interrupt(): Promise<void> {
		if (await this.#session.requests.interrupt()) return
		throw inItsInterface('press Escape there, or deny its next request')
	}

	async setMode(): Promise<void> {
		throw inItsInterface('change the mode there with Shift-Tab')
	}

	async stop(): Promise<void> {
		if (!hasEnded(this.#child)) {
			await terminate(this.#child, this.ended, graceMs)
		}
		await this.ended
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}
}

function ignore(): void {}

/** With a proxy set, the agent's calls to our port would go to the proxy, token and all. */
function withoutProxyToUs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const proxied = Object.keys(env).some((name) => /^(?:https?|all)_proxy$/i.test(name))
	if (!proxied) return env
	const own = env.no_proxy ?? env.NO_PROXY
	const list = own === undefined || own === '' ? '127.0.0.1' : `${own},127.0.0.1`
	return { ...env, no_proxy: list, NO_PROXY: list }
}
