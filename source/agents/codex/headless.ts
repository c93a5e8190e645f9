/**
 * Codex without its interface: `codex app-server` on its standard streams. The viewer is the only place to
 * answer, and whatever goes wrong on our side is a denial for the agent.
 */
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAnswer, AgentOutput, RunningAgent, StartOptions } from '../agent.ts'
import { noMorePrompts } from '../cannot.ts'
import { type Ended, lastWords, within } from '../child-process.ts'
import type { Line } from '../lines.ts'
import { OutputQueue } from '../output-queue.ts'
import { refusalOf } from './answer.ts'
import { answerRequest, changeMode, sendPrompt, takes } from './answering.ts'
import { AppServer } from './app-server.ts'
import { headlessArguments, type ThreadArguments } from './arguments.ts'
import { notice } from './items.ts'
import { openedSchema, type RpcMessage } from './schema.ts'
import { ThreadReader } from './thread-reader.ts'

const readyMs = 30_000
const replyMs = 5000

/**
 * Starts a headless session and gives it its first prompt. Throws `agent_failed` when Codex does not come
 * up, `agent_argument` for arguments that it can't take.
 */
export async function startHeadless(path: string, options: StartOptions): Promise<RunningAgent> {
	const args = headlessArguments(options.args, options.cwd)
	const session = new HeadlessSession(options)
	await session.start(path, options, args)
	try {
		await session.open(args)
		await session.prompt(options.headless ?? '', 'agent')
	} catch (error) {
		await session.stop()
		throw error
	}
	return session
}

class HeadlessSession implements RunningAgent {
	readonly name = 'codex'
	readonly #ended = Promise.withResolvers<Ended>()
	readonly ended: Promise<Ended> = this.#ended.promise
	readonly #reader = new ThreadReader()
	readonly #queue = new OutputQueue<AgentOutput>()
	readonly #signal: AbortSignal | undefined
	readonly #stay: boolean
	#server: AppServer | null = null
	#stopping: Promise<void> | undefined
	/** Prompts that are on their way: their turn has not begun. */
	#pending = 0

	constructor({ signal, stay }: StartOptions) {
		this.#signal = signal
		this.#stay = stay ?? false
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.#queue
	}

	async start(path: string, options: StartOptions, args: ThreadArguments): Promise<void> {
		const server = await AppServer.start(path, {
			cwd: args.params.cwd,
			env: options.env,
			args: args.server,
			onLine: (line, message) => this.#line(line, message),
		})
		this.#server = server
		this.#signal?.addEventListener('abort', this.#abort, { once: true })
		void server.ended.then((ended) => {
			this.#signal?.removeEventListener('abort', this.#abort)
			this.#queue.push(...this.#reader.end(now()))
			this.#queue.close()
			// The app-server itself ends well, whatever became of the turn.
			const lost = ended.code === 0 && this.#reader.failed && this.#stopping === undefined
			this.#ended.resolve(lost ? { ...ended, code: 1, stderr: '' } : ended)
		})
	}

	async open({ resume, params }: ThreadArguments): Promise<void> {
		const server = this.#running()
		await this.#ready(
			server.call('initialize', {
				clientInfo: { name: 'styrby-tui', title: null, version: '1' },
				capabilities: { experimentalApi: true, requestAttestation: false },
			}),
		)
		await server.notify('initialized')
		const opening =
			resume === null
				? server.call('thread/start', params)
				: server.call('thread/resume', { threadId: resume, excludeTurns: true, ...params })
		const opened = v.safeParse(openedSchema, await this.#ready(opening))
		if (!opened.success) throw failed('its answer is not understood')
		this.#queue.push(...this.#reader.opened(opened.output), takes)
	}

	async prompt(text: string, source: 'agent' | 'viewer' = 'viewer'): Promise<void> {
		this.#pending++
		try {
			await sendPrompt(this.#running(), this.#reader, text, source)
		} finally {
			this.#pending--
		}
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		if (this.#server === null) return false
		const said = (output: AgentOutput) => this.#queue.push(output)
		return answerRequest(this.#server, this.#reader, id, answer, said)
	}

	async interrupt(): Promise<void> {
		const { thread, turn } = this.#reader
		if (thread === null || turn === null || !this.#server?.open) return
		await within(this.#server.call('turn/interrupt', { threadId: thread, turnId: turn }), replyMs)
	}

	async setMode(mode: string): Promise<void> {
		await changeMode(this.#running(), this.#reader, mode)
	}

	stop(): Promise<void> {
		this.#stopping ??= this.#stop()
		return this.#stopping
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}

	async #stop(): Promise<void> {
		this.#queue.flush()
		await within(this.interrupt(), 1000)
		await this.#server?.stop()
	}

	readonly #abort = (): void => {
		void this.stop()
	}

	#running(): AppServer {
		if (this.#server?.open) return this.#server
		throw noMorePrompts()
	}

	/** The result of one of the first calls. */
	async #ready(call: ReturnType<AppServer['call']>): Promise<unknown> {
		if (!(await within(call, readyMs))) throw failed('it did not answer within 30 s')
		const { result, error } = await call
		if (error === null) return result
		if (this.#server?.open) throw failed(error.slice(0, 300))
		const words = lastWords((await this.ended).stderr)
		throw failed(words === '' ? 'it gave no reason' : words)
	}

	async #line(line: Line, message: RpcMessage | null): Promise<void> {
		const at = now()
		if (message === null) {
			const what = line.text === null ? 'is over 64 MiB' : 'is not a message'
			this.#queue.push(notice(at, `A line of the agent ${what} and was left out`))
		} else await this.#message(message, at)
		await this.#queue.room()
	}

	async #message(message: RpcMessage, at: string): Promise<void> {
		const outputs = this.#reader.read(message, at)
		this.#queue.push(...outputs)
		if (message.type === 'request' && outputs.length === 0) await this.#refuse(message, at)
		const idle = outputs.some((output) => output.type === 'status' && output.status === 'idle')
		// A session of one prompt ends with its turn.
		if (idle && this.#pending === 0 && !this.#stay) void this.#server?.stop()
	}

	/** Nobody else is there to answer. */
	async #refuse(request: Extract<RpcMessage, { type: 'request' }>, at: string): Promise<void> {
		const no = refusalOf(request.method)
		if (no === null) {
			await this.#server?.refuse(request.id, 'Not understood by the host, so not allowed')
			return
		}
		await this.#server?.respond(request.id, no)
		const text = 'The agent asked something that can not be answered from here; it was refused'
		this.#queue.push(notice(at, text))
	}
}

function failed(why: string): StyrbyError {
	const words = why.replace(/\p{Cc}/gu, ' ')
	return new StyrbyError(
		'agent_failed',
		`Codex did not start: ${words}. Run it by itself to mend this.`,
	)
}

function now(): string {
	return new Date().toISOString()
}
