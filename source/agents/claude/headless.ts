/**
 * Claude Code without its interface: `claude -p` with stream-json both ways. The viewer is the only place
 * to answer, and whatever goes wrong on our side is a denial for the agent.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAnswer, AgentOutput, RunningAgent, StartOptions } from '../agent.ts'
import { cannot, modeRefused, noMorePrompts, otherMode } from '../cannot.ts'
import { childEnvironment } from '../child-environment.ts'
import {
	type Ended,
	hasEnded,
	lastWords,
	spawned,
	terminate,
	watchEnd,
	within,
	writeLine,
} from '../child-process.ts'
import { endWithHost } from '../end-with-host.ts'
import { readLines } from '../lines.ts'
import { OutputQueue } from '../output-queue.ts'
import { headlessArguments } from './arguments.ts'
import { proposedChanges } from './changes.ts'
import { permissionResult } from './request.ts'
import { notice, StreamReader } from './stream.ts'

const maxLineBytes = 32 * 1024 * 1024
const readyMs = 30_000
const replyMs = 5000
/** After the last task a turn of its own may follow that reports it. */
const afterTasksMs = 2000
const graceMs = 3000

/** The modes in which a person is still asked, or nothing is changed. */
const modes: readonly string[] = ['default', 'acceptEdits', 'plan']

type Reply = { ok: boolean; error: string | null }

/**
 * Starts a headless session and gives it its first prompt. Throws `agent_failed` when the agent does not
 * come up; its own words are in the message.
 */
export async function startHeadless(path: string, options: StartOptions): Promise<RunningAgent> {
	const child = spawn(path, headlessArguments(options.args), {
		cwd: options.cwd,
		env: childEnvironment(options.env),
		stdio: 'pipe',
	})
	const session = new HeadlessSession(child, options)
	await spawned(child, 'Claude Code')
	endWithHost(child)
	try {
		await session.initialize()
	} catch (error) {
		await session.stop()
		throw error
	}
	await session.prompt(options.headless ?? '', 'agent')
	return session
}

class HeadlessSession implements RunningAgent {
	readonly name = 'claude'
	readonly ended: Promise<Ended>
	readonly #child: ChildProcessWithoutNullStreams
	readonly #reader = new StreamReader()
	readonly #queue = new OutputQueue<AgentOutput>()
	readonly #replies = new Map<string, (reply: Reply) => void>()
	readonly #stay: boolean
	#closing: NodeJS.Timeout | undefined
	#stopping: Promise<void> | undefined
	#cwd: string

	constructor(child: ChildProcessWithoutNullStreams, options: StartOptions) {
		this.#child = child
		this.#cwd = options.cwd
		this.#stay = options.stay ?? false
		const exit = watchEnd(child)
		// A write to an agent that has just ended fails; `ended` tells about it.
		child.stdin.on('error', () => child.stdin.destroy())
		child.once('exit', () => this.#queue.flush())
		const read = this.#read()
		this.ended = Promise.all([exit, read]).then(([ended]) => {
			clearTimeout(this.#closing)
			options.signal?.removeEventListener('abort', this.#abort)
			for (const reply of this.#replies.values()) reply({ ok: false, error: 'ended' })
			this.#queue.push(...this.#reader.end(now()))
			this.#queue.close()
			return ended
		})
		options.signal?.addEventListener('abort', this.#abort, { once: true })
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.#queue
	}

	/** Nothing is printed before the first prompt, except the answer to this: the agent is ready. */
	async initialize(): Promise<void> {
		const reply = this.#control({ subtype: 'initialize' })
		if (!(await within(Promise.race([reply, this.ended]), readyMs))) {
			throw new StyrbyError(
				'agent_failed',
				'Claude Code did not answer within 30 s; run `claude` by itself to see why.',
			)
		}
		const { ok, error } = await reply
		if (ok) {
			this.#queue.push({ type: 'about', takes: { prompt: true, interrupt: true, modes } })
			return
		}
		const words = hasEnded(this.#child) ? lastWords((await this.ended).stderr) : (error ?? '')
		const why = words === '' ? 'it gave no reason' : words
		throw new StyrbyError(
			'agent_failed',
			`Claude Code did not start: ${why}. Run it by itself to mend this.`,
		)
	}

	async prompt(text: string, source: 'agent' | 'viewer' = 'viewer'): Promise<void> {
		if (!this.#open) throw noMorePrompts()
		clearTimeout(this.#closing)
		const uuid = randomUUID()
		this.#reader.prompted(uuid, source)
		await this.#write({ type: 'user', uuid, message: { role: 'user', content: text } })
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		const request = this.#reader.request(id)
		if (request === null || !this.#open) return false
		const response = permissionResult(request, answer)
		if (response === null) {
			throw cannot(
				'The agent needs an answer of another form; answer the question itself or deny it.',
			)
		}
		if (response.behavior === 'allow') response.updatedInput ??= request.input
		this.#reader.answered(id)
		return this.#write({
			type: 'control_response',
			response: { subtype: 'success', request_id: id, response },
		})
	}

	async interrupt(): Promise<void> {
		if (!this.#open) return
		await within(this.#control({ subtype: 'interrupt' }), replyMs)
	}

	async setMode(mode: string): Promise<void> {
		if (!this.#open || !modes.includes(mode)) throw otherMode('Claude Code', modes)
		const reply = this.#control({ subtype: 'set_permission_mode', mode })
		if (!(await within(reply, replyMs))) throw modeRefused('Claude Code', null)
		const { ok, error } = await reply
		if (!ok) throw modeRefused('Claude Code', error ?? 'it gave no reason')
	}

	stop(): Promise<void> {
		this.#stopping ??= this.#stop()
		return this.#stopping
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}

	async #stop(): Promise<void> {
		clearTimeout(this.#closing)
		this.#queue.flush()
		if (this.#open) await within(this.#control({ subtype: 'interrupt' }), 1000)
		this.#child.stdin.end()
		if (await within(this.ended, graceMs)) return
		await terminate(this.#child, this.ended, graceMs)
	}

	readonly #abort = (): void => {
		void this.stop()
	}

	get #open(): boolean {
		return this.#child.stdin.writable && this.#child.exitCode === null
	}

	async #read(): Promise<void> {
		try {
			for await (const line of readLines(this.#child.stdout, maxLineBytes)) {
				if (line.text === null) {
					this.#queue.push(notice(now(), 'A line of the agent over 32 MiB was left out'))
				} else await this.#line(line.text)
				await this.#queue.room()
			}
		} catch (error) {
			// What the agent left behind held its output open, and was let go.
			if (hasEnded(this.#child)) return
			// A broken pipe ends the session as an exit does; the transcript says why.
			const why = error instanceof Error ? error.message : 'unknown cause'
			this.#queue.push(notice(now(), `Reading from the agent failed: ${why}`))
			this.#child.kill('SIGTERM')
		}
	}

	async #line(text: string): Promise<void> {
		const step = this.#reader.read(text, now())
		for (const { id, error } of step.refuse) {
			await this.#write({
				type: 'control_response',
				response: { subtype: 'error', request_id: id, error },
			})
		}
		for (const { id, ok, error } of step.replies) this.#replies.get(id)?.({ ok, error })
		for (const output of step.outputs) this.#queue.push(await this.#completed(output))
		if (this.#reader.busy) clearTimeout(this.#closing)
		else if (step.idle !== null && !this.#stay)
			this.#closeAfter(step.idle === 'turn' ? 0 : afterTasksMs)
	}

	/** A session of one prompt ends when its turn is over and no task runs in the background. */
	#closeAfter(ms: number): void {
		clearTimeout(this.#closing)
		this.#closing = setTimeout(() => this.#child.stdin.end(), ms)
	}

	/** A request gets what the line does not have: where it would run, and its diff. */
	async #completed(output: AgentOutput): Promise<AgentOutput> {
		if (output.type === 'about' && output.cwd !== undefined) this.#cwd = output.cwd
		if (output.type !== 'request') return output
		const { tool, input } = output.ask
		const changes = await proposedChanges(tool, input, this.#cwd)
		return { ...output, ask: { ...output.ask, cwd: this.#cwd, changes } }
	}

	async #control(request: { subtype: string; mode?: string }): Promise<Reply> {
		const id = randomUUID()
		const reply = new Promise<Reply>((resolve) => this.#replies.set(id, resolve))
		const written = await this.#write({ type: 'control_request', request_id: id, request })
		if (!written) this.#replies.get(id)?.({ ok: false, error: 'ended' })
		return reply.finally(() => this.#replies.delete(id))
	}

	/** Whether the line went out. */
	#write(line: unknown): Promise<boolean> {
		return writeLine(this.#child.stdin, JSON.stringify(line))
	}
}

function now(): string {
	return new Date().toISOString()
}
