/**
 * Events of OpenCode's server → outputs. A state machine without I/O and clock: events and times go in,
 * outputs come out, with the few things its driver must do. Nothing in an event can make it throw.
 */
import * as v from 'valibot'
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import { PartReader } from './part-reader.ts'
import { errorEvent, notice, retryEvent, unknownEvent } from './parts.ts'
import { PendingRequests } from './pending-requests.ts'
import type { OpenRequest } from './request.ts'
import {
	idleSchema,
	parseEvent,
	type RawEvent,
	type RawMessage,
	sessionErrorSchema,
	statusSchema,
} from './schema.ts'

export interface Step {
	outputs: AgentOutput[]
	/** Requests that were not understood: to be denied. */
	refuse: { id: string; kind: 'permission' | 'question' }[]
	/** A session that a person types into has come to rest. */
	idle: boolean
}

/** Of the server, or said by other events too. */
const silent =
	/^(?:server|plugin|catalog|integration|reference|models-dev|installation|file|lsp|mcp|pty|vcs|tui|project|workspace|worktree|ide|global|todo|command)\.|^session\.(?:updated|diff|compacted|deleted|idle|next\..+)$|^message(?:\.part)?\.removed$/

/** Ids of pieces of text that are kept, to know one that comes again. */
const recentPieces = 1000

export class EventReader {
	readonly #requests: PendingRequests
	/** Whether requests reach a person when this agent (build, plan…) works; `null`: not known. */
	readonly #asks: (agent: string) => boolean | null
	readonly #parts: PartReader
	readonly #recent = new Set<string>()
	readonly #busy = new Set<string>()
	#about = ''
	#retry = ''
	#mode: string | null = null
	#session: string | null = null
	#interrupted = false
	#failed = false

	constructor(asks: (agent: string) => boolean | null = () => null) {
		this.#asks = asks
		this.#requests = new PendingRequests()
		this.#parts = new PartReader(this.#requests)
	}

	/** A session of a person's works, or a prompt is on its way. */
	get busy(): boolean {
		return this.#busy.size > 0 || this.#parts.waiting
	}

	/** Requests wait for the call that they are about, which is told apart from them: not for long. */
	get holding(): boolean {
		return this.#requests.holding
	}

	/** Sessions of a person's that work just now. */
	get working(): readonly string[] {
		return [...this.#busy]
	}

	/** The session that a person types into, once it is known. */
	get session(): string | null {
		return this.#session
	}

	/** All sessions that anything was told of. */
	get sessions(): readonly string[] {
		return this.#parts.sessions
	}

	knows(message: string): boolean {
		return this.#parts.knows(message)
	}

	/** Of the requests that wait, all but these were answered or dropped unseen. */
	onlyOpen(ids: ReadonlySet<string>): AgentOutput[] {
		return this.waiting.flatMap(({ id }) => (ids.has(id) ? [] : this.cancelled(id)))
	}

	/** Whether the last turn ended with an error. */
	get failed(): boolean {
		return this.#failed
	}

	/** Before a prompt is sent: what comes back is the event. */
	prompted(text: string, source: 'agent' | 'viewer'): void {
		this.#parts.prompted(text, source)
	}

	/** A prompt that was not sent after all. */
	unprompted(text: string): void {
		this.#parts.unprompted(text)
	}

	/** An open request that nobody has answered yet. */
	request(id: string): OpenRequest | null {
		return this.#requests.open(id)
	}

	/** Our answer is on its way: what the server says of the request is kept until it is known whose it is. */
	answering(id: string): void {
		this.#requests.answering(id)
	}

	/** What became of our answer. `ours`: the server took it as the answer. */
	answered(id: string, ours: boolean): AgentOutput[] {
		return this.#requests.answered(id, ours)
	}

	/** Requests that nobody has answered yet. */
	get waiting(): { id: string; kind: OpenRequest['kind'] }[] {
		return this.#requests.waiting
	}

	/** One that was ended together with its turn. */
	cancelled(id: string): AgentOutput[] {
		return this.#requests.cancelled(id)
	}

	/** Gives out the requests that still wait for their call. */
	release(): AgentOutput[] {
		return this.#requests.release()
	}

	read(line: string, now: string): Step {
		const step: Step = { outputs: [], refuse: [], idle: false }
		const event = parseEvent(line)
		if (event === null) {
			step.outputs.push(notice(now, 'An event of the agent is not JSON and was left out'))
		} else this.#event(event, now, step)
		return step
	}

	/** A piece that comes twice would double its text. */
	#isNew(id: string | null): boolean {
		if (id === null) return true
		if (this.#recent.has(id)) return false
		this.#recent.add(id)
		const [oldest] = this.#recent
		if (this.#recent.size > recentPieces && oldest !== undefined) this.#recent.delete(oldest)
		return true
	}

	/** The agent has ended: what is still open is closed. */
	end(now: string): AgentOutput[] {
		const outputs: AgentOutput[] = this.#requests.cancelAll()
		this.#parts.end(now, outputs)
		return outputs
	}

	#event({ id, type, properties }: RawEvent, now: string, step: Step): void {
		switch (type) {
			case 'message.updated':
				this.#aboutSession(this.#parts.message(properties, now, step.outputs), step)
				break
			case 'message.part.updated':
				this.#parts.update(properties, now, step.outputs)
				break
			case 'message.part.delta':
				if (this.#isNew(id)) this.#parts.delta(properties, step.outputs)
				break
			case 'session.created':
				this.#parts.created(properties)
				break
			case 'session.status':
				this.#status(properties, now, step)
				break
			case 'session.idle': {
				const idle = v.safeParse(idleSchema, properties)
				if (idle.success) this.#idle(idle.output.sessionID, step)
				break
			}
			case 'session.error':
				this.#error(properties, now, step)
				break
			case 'permission.asked':
			case 'question.asked':
				this.#asked(type === 'permission.asked' ? 'permission' : 'question', properties, now, step)
				break
			case 'permission.replied':
			case 'question.replied':
			case 'question.rejected':
				step.outputs.push(...this.#requests.replied(type, properties))
				break
			default:
				if (!silent.test(type)) this.#say(now, unknownEvent(type), step)
		}
	}

	#asked(kind: 'permission' | 'question', properties: unknown, now: string, step: Step): void {
		const { outputs, understood, id } = this.#requests.ask(kind, properties)
		step.outputs.push(...outputs)
		if (understood) return
		if (id !== null) step.refuse.push({ id, kind })
		step.outputs.push(
			notice(now, 'The agent asked something that the host does not understand; refused'),
		)
	}

	#aboutSession(info: RawMessage | null, step: Step): void {
		if (info === null || this.#parts.isChild(info.sessionID)) return
		this.#session = info.sessionID
		const about: Extract<AgentOutput, { type: 'about' }> = {
			type: 'about',
			session: info.sessionID,
		}
		// The first message is the prompt, which does not have all of it yet.
		if (info.role !== 'assistant') return
		if (info.modelID !== null) about.model = info.modelID
		if (info.path?.cwd) {
			about.cwd = info.path.cwd
			this.#requests.cwd = info.path.cwd
		}
		if (info.agent !== null) Object.assign(about, this.#aboutMode(info.agent))
		const key = JSON.stringify(about)
		if (key === this.#about) return
		this.#about = key
		step.outputs.push(about)
	}

	/** The agent that works from now on, where it was changed by us. */
	changed(agent: string): AgentOutput[] {
		return agent === this.#mode ? [] : [{ type: 'about', ...this.#aboutMode(agent) }]
	}

	#aboutMode(agent: string): { mode: string; asks?: boolean } {
		this.#mode = agent
		const asks = this.#asks(agent)
		return asks === null ? { mode: agent } : { mode: agent, asks }
	}

	#status(properties: unknown, now: string, step: Step): void {
		const parsed = v.safeParse(statusSchema, properties)
		if (!parsed.success) return
		const { sessionID, status } = parsed.output
		if (status.type === 'idle') {
			this.#idle(sessionID, step)
			return
		}
		if (status.type === 'retry') {
			// It says the same again while it waits.
			const key = `${sessionID}:${status.attempt}`
			if (key === this.#retry) return
			this.#retry = key
			this.#say(now, retryEvent(status, now), step)
		}
		if (this.#parts.isChild(sessionID)) return
		if (this.#busy.size === 0) step.outputs.push({ type: 'status', status: 'running' })
		if (!this.#busy.has(sessionID)) {
			this.#interrupted = false
			this.#failed = false
		}
		this.#busy.add(sessionID)
	}

	#idle(session: string, step: Step): void {
		step.outputs.push(...this.#requests.cancelOf(session))
		if (!this.#busy.delete(session) || this.busy) return
		step.outputs.push({ type: 'status', status: 'idle' })
		step.idle = true
	}

	#error(properties: unknown, now: string, step: Step): void {
		const parsed = v.safeParse(sessionErrorSchema, properties)
		const error = parsed.success ? parsed.output.error : null
		if (error === null) return
		const event = errorEvent(error)
		if (event.kind === 'error') this.#failed = true
		else if (this.#interrupted) return
		else this.#interrupted = true
		this.#say(now, event, step)
		// A prompt that could not even begin, for want of its model, has no other end.
		if (this.#busy.size > 0 || !this.#parts.waiting) return
		this.#parts.unprompted()
		step.idle = true
	}

	#say(at: string, event: SessionEvent, step: Step): void {
		step.outputs.push({ type: 'event', at, event })
	}
}
