/** A running OpenCode: its server, which says what happens and takes the answers, and who looks at it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAnswer, AgentOutput, RunningAgent, StartOptions, Takes } from '../agent.ts'
import { cannot, inItsInterface, noMorePrompts, otherMode } from '../cannot.ts'
import { type Ended, hasEnded, spawned, terminate, watchEnd, within } from '../child-process.ts'
import { endWithHost } from '../end-with-host.ts'
import { giveBackTerminal } from '../give-back-terminal.ts'
import { OutputQueue } from '../output-queue.ts'
import type { Arguments } from './arguments.ts'
import { readMissed } from './catch-up.ts'
import { openSession } from './open-session.ts'
import { notice } from './parts.ts'
import type { EventReader, Step } from './reader.ts'
import { rejection, replyTo } from './request.ts'
import type { OpencodeServer } from './server.ts'

const graceMs = 3000
/** How long a request waits for the call that it is about, ms. */
const holdMs = 500
/** How long after its last event the server may take to end, ms. */
const lastWordsMs = 1000
/** Before each attempt to read on where events have broken off, ms. */
const pausesMs = [200, 400, 800, 1600, 3200, 5000, 5000, 5000]
/** After a turn its last words may still be on their way, ms. */
const afterTurnMs = 300

export interface Model {
	providerID: string
	modelID: string
}

export interface SessionParts {
	model: Model | null
	variant: string | null
	/** Whether the session waits for further prompts. */
	stay: boolean
	/** Agents of OpenCode's that it can be put in. */
	modes: readonly string[]
	reader: EventReader
	cleanup: AsyncDisposableStack
}

export class OpencodeSession implements RunningAgent {
	readonly name = 'opencode'
	readonly ended: Promise<Ended>
	readonly #server: OpencodeServer
	readonly #cwd: string
	readonly #parts: SessionParts
	readonly #reader: EventReader
	readonly #queue = new OutputQueue<AgentOutput>()
	readonly #listening = new AbortController()
	readonly #began = Date.now()
	#reading: Promise<void> = Promise.resolve()
	#interface: ChildProcess | null = null
	#interfaceEnd: Ended | null = null
	#session: string | null = null
	/** The agent for the prompts to come, where it was changed. */
	#mode: string | null = null
	#takesPrompts = false
	#closing: NodeJS.Timeout | undefined
	#holding: NodeJS.Timeout | undefined
	#done = false
	#stopping: Promise<void> | undefined

	constructor(server: OpencodeServer, options: StartOptions, parts: SessionParts) {
		this.#server = server
		this.#cwd = options.cwd
		this.#parts = parts
		this.#reader = parts.reader
		const abort = () => void this.stop()
		options.signal?.addEventListener('abort', abort, { once: true })
		this.ended = server.ended.then(async (how) => {
			options.signal?.removeEventListener('abort', abort)
			return this.#end(how)
		})
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.#queue
	}

	about(version: string | null): void {
		const facts = version === null ? {} : { version }
		this.#queue.push({ type: 'about', cwd: this.#cwd, ...facts })
	}

	/** Before anything happens: no event is missed. */
	async listen(): Promise<void> {
		const events = await this.#server.events(this.#listening.signal)
		this.#reading = this.#read(events)
	}

	async begin(given: Arguments, prompt: string): Promise<void> {
		this.#session = await openSession(this.#server, given)
		this.#mode = given.agent
		await this.#prompt(this.#session, prompt, 'agent')
		this.#takes(true)
	}

	async attach(path: string, args: readonly string[]): Promise<void> {
		const child = spawn(path, args, {
			cwd: this.#cwd,
			env: this.#server.clientEnvironment(),
			stdio: 'inherit',
		})
		const ended = watchEnd(child)
		await spawned(child, 'OpenCode')
		endWithHost(child)
		this.#interface = child
		this.#takes(false)
		// There is nothing to tell of a session before its first prompt.
		this.#queue.push({ type: 'status', status: 'idle' })
		// Keys belong to the agent: an interrupt typed before it has the terminal must not end the host.
		process.on('SIGINT', ignore)
		void ended.then(async (how) => {
			process.off('SIGINT', ignore)
			giveBackTerminal(how)
			this.#interfaceEnd = how
			await this.#server.stop()
		})
	}

	async prompt(text: string): Promise<void> {
		const session = this.#session ?? this.#reader.session
		if (!this.#open) throw noMorePrompts()
		if (session === null) {
			throw cannot('This session has not begun: type the first prompt where it runs.')
		}
		clearTimeout(this.#closing)
		await this.#prompt(session, text, 'viewer')
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		const request = this.#reader.request(id)
		if (request === null || !this.#open) return false
		const { reply, taken } = replyTo(id, request, answer)
		// An answer that it does not take: it is told no, and what it says of that is what counts.
		if (!taken) {
			await this.#post(reply.path, reply.body)
			return false
		}
		this.#reader.answering(id)
		let ok = false
		try {
			ok = await this.#post(reply.path, reply.body)
		} finally {
			this.#queue.push(...this.#reader.answered(id, ok))
		}
		return ok
	}

	/** What is asked goes first: an interface shows it for good when the turn ends under it. */
	async interrupt(): Promise<void> {
		for (const { id, kind } of this.#reader.waiting) {
			if (!this.#open) return
			this.#reader.answering(id)
			const reply = rejection(id, kind)
			const ended = await this.#post(reply.path, reply.body)
			this.#queue.push(...(ended ? this.#reader.cancelled(id) : this.#reader.answered(id, false)))
		}
		for (const session of this.#reader.working) {
			if (this.#open) await this.#post(`/session/${session}/abort`)
		}
	}

	/** It works from the next prompt on: the server has no other way. */
	async setMode(mode: string): Promise<void> {
		const { modes } = this.#parts
		if (this.#interface !== null) throw inItsInterface('change the agent there with Tab')
		if (modes.length === 0) {
			throw cannot('OpenCode has no agent here in which a person is asked: start a new session.')
		}
		if (!this.#open || !modes.includes(mode)) throw otherMode('OpenCode', modes)
		this.#mode = mode
		if (!this.#reader.busy) this.#queue.push(...this.#reader.changed(mode))
	}

	#takes(prompt: boolean): void {
		this.#takesPrompts = prompt
		const takes: Takes = { prompt, interrupt: true, modes: this.#parts.modes }
		this.#queue.push({ type: 'about', takes })
	}

	/** Whether the server took it; what has ended meanwhile takes nothing. */
	async #post(path: string, body?: unknown): Promise<boolean> {
		try {
			return (await this.#server.call('POST', path, body)).ok
		} catch (error) {
			if (!this.#open || (await within(this.#server.ended, lastWordsMs))) return false
			throw error
		}
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
		const child = this.#interface
		if (child !== null && !hasEnded(child)) {
			const ended = new Promise((resolve) => child.once('exit', resolve))
			await terminate(child, ended, graceMs)
		}
		await this.#server.stop()
		await this.ended
	}

	async #end(server: Ended): Promise<Ended> {
		clearTimeout(this.#closing)
		clearTimeout(this.#holding)
		const closed = this.#interfaceEnd
		this.#queue.flush()
		this.#listening.abort()
		await this.#reading
		const child = this.#interface
		// Without its server the interface shows nothing and would stay for ever.
		if (child !== null && !hasEnded(child)) {
			await terminate(child, new Promise((resolve) => child.once('exit', resolve)), graceMs)
		}
		this.#queue.push(...this.#reader.end(now()))
		this.#queue.close()
		await this.#parts.cleanup.disposeAsync()
		if (this.#done) return { code: this.#reader.failed ? 1 : 0, signal: null, stderr: '' }
		return closed ?? server
	}

	get #open(): boolean {
		return this.#server.running && !this.#done
	}

	async #prompt(session: string, text: string, source: 'agent' | 'viewer'): Promise<void> {
		const agent = this.#mode
		const { model, variant } = this.#parts
		this.#reader.prompted(text, source)
		const { ok, status } = await this.#server.call('POST', `/session/${session}/prompt_async`, {
			parts: [{ type: 'text', text }],
			...(this.#interface === null && model !== null ? { model } : {}),
			...(variant === null ? {} : { variant }),
			...(agent === null ? {} : { agent }),
		})
		if (ok) return
		this.#reader.unprompted(text)
		throw new StyrbyError(
			'agent_failed',
			`OpenCode did not take the prompt (status ${status}); try it in OpenCode itself.`,
		)
	}

	async #read(events: AsyncIterable<string | null>): Promise<void> {
		let next: AsyncIterable<string | null> | null = events
		while (next !== null) {
			try {
				for await (const event of next) {
					if (event === null) {
						this.#queue.push(notice(now(), 'An event of the agent over 32 MiB was left out'))
					} else this.#take(this.#reader.read(event, now()))
					await this.#queue.room()
				}
			} catch {
				// Whether it can be read on, the next lines find out.
			}
			next = await this.#readAgain()
		}
		// Without events nobody would know what it asks: it must not go on by itself.
		if (this.#server.running && !this.#listening.signal.aborted) void this.#server.stop()
	}

	/** Events once more, after what was missed; `null` when there are none any more. */
	async #readAgain(): Promise<AsyncIterable<string | null> | null> {
		for (const pause of pausesMs) {
			// It breaks a little before the server's end is known.
			const ended = await within(this.#server.ended, pause)
			if (ended || this.#done || this.#stopping !== undefined) return null
			if (this.#listening.signal.aborted) return null
			try {
				const events = await this.#server.events(this.#listening.signal)
				const { lines, open } = await readMissed(this.#server, {
					sessions: this.#reader.sessions,
					working: this.#reader.working,
					knows: (message) => this.#reader.knows(message),
					since: this.#began,
				})
				for (const line of lines) this.#take(this.#reader.read(line, now()))
				this.#queue.push(...this.#reader.onlyOpen(open))
				this.#queue.push(notice(now(), 'The connection to the agent broke, and was made again'))
				return events
			} catch {
				// Tried again, for a while.
			}
		}
		this.#queue.push(notice(now(), 'The connection to the agent broke, and can not be made again'))
		return null
	}

	#take(step: Step): void {
		this.#queue.push(...step.outputs)
		if (!this.#takesPrompts && this.#interface !== null && this.#reader.session !== null) {
			this.#takes(true)
		}
		for (const { id, kind } of step.refuse) void this.#refuse(id, kind)
		if (this.#reader.holding) {
			this.#holding ??= setTimeout(() => {
				this.#holding = undefined
				this.#queue.push(...this.#reader.release())
			}, holdMs)
		}
		if (this.#reader.busy) clearTimeout(this.#closing)
		else if (step.idle && this.#interface === null) this.#rest()
	}

	async #refuse(id: string, kind: 'permission' | 'question'): Promise<void> {
		const request = kind === 'question' ? { kind, questions: [] } : { kind, rules: [] }
		const reason = 'Not understood by the host, so not allowed'
		const { reply } = replyTo(id, request, { decision: 'deny', reason })
		try {
			await this.#server.call('POST', reply.path, reply.body)
		} catch {
			// It ends, or it stays unanswered: neither allows anything.
		}
	}

	/** A session of one prompt ends when its turn is over. */
	#rest(): void {
		// Changed while it worked, so it holds from now on.
		if (this.#mode !== null) this.#queue.push(...this.#reader.changed(this.#mode))
		clearTimeout(this.#closing)
		if (this.#parts.stay) return
		this.#closing = setTimeout(() => {
			this.#done = true
			void this.#server.stop()
		}, afterTurnMs)
	}
}

function ignore(): void {}

function now(): string {
	return new Date().toISOString()
}
