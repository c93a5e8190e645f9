/**
 * Events of OpenCode's server → outputs. A state machine without I/O and clock: events and times go in,
 * outputs come out, with the few things its driver must do. Nothing in an event can make it throw.
 */
import * as v from 'valibot'
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import { errorEvent, partEvent, toolResult, toolUse, unknownEvent } from './parts.ts'
import { PendingRequests } from './pending-requests.ts'
import type { OpenRequest } from './request.ts'
import {
	deltaSchema,
	idleSchema,
	messageUpdateSchema,
	parseEvent,
	partUpdateSchema,
	type RawEvent,
	type RawMessage,
	type RawPart,
	sessionErrorSchema,
	sessionUpdateSchema,
	statusSchema,
	timeOf,
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

interface Message {
	info: RawMessage
	/** Parts that are being written. */
	open: Map<string, RawPart>
}

export class EventReader {
	readonly #requests: PendingRequests
	/** Whether requests reach a person when this agent (build, plan…) works; `null`: not known. */
	readonly #asks: (agent: string) => boolean | null
	readonly #messages = new Map<string, Message>()
	/** Parts that were said, and tools that were called. */
	readonly #said = new Set<string>()
	readonly #called = new Set<string>()
	/** Characters of a part that were handed over while it is being written. */
	readonly #written = new Map<string, number>()
	/** Sub-agents' sessions, and the tool call that each belongs to, as far as it is known. */
	readonly #children = new Map<string, string | null>()
	readonly #prompts: { text: string; source: 'agent' | 'viewer' }[] = []
	readonly #busy = new Set<string>()
	#about = ''
	#retry = ''
	#session: string | null = null
	#interrupted = false
	#failed = false

	constructor(asks: (agent: string) => boolean | null = () => null) {
		this.#asks = asks
		this.#requests = new PendingRequests()
	}

	/** A session of a person's works, or a prompt is on its way. */
	get busy(): boolean {
		return this.#busy.size > 0 || this.#prompts.length > 0
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

	/** Whether the last turn ended with an error. */
	get failed(): boolean {
		return this.#failed
	}

	/** Before a prompt is sent: what comes back is the event. */
	prompted(text: string, source: 'agent' | 'viewer'): void {
		this.#prompts.push({ text, source })
	}

	/** A prompt that was not sent after all. */
	unprompted(text: string): void {
		const at = this.#prompts.findIndex((prompt) => prompt.text === text)
		if (at >= 0) this.#prompts.splice(at, 1)
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

	/** The agent has ended: what is still open is closed. */
	end(now: string): AgentOutput[] {
		const outputs: AgentOutput[] = this.#requests.cancelAll()
		const step: Step = { outputs, refuse: [], idle: false }
		for (const message of this.#messages.values()) this.#finishParts(message, now, step)
		return outputs
	}

	#event({ type, properties }: RawEvent, now: string, step: Step): void {
		switch (type) {
			case 'message.updated':
				this.#message(properties, now, step)
				break
			case 'message.part.updated':
				this.#partUpdate(properties, now, step)
				break
			case 'message.part.delta':
				this.#delta(properties, step)
				break
			case 'session.created':
				this.#created(properties)
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

	#message(properties: unknown, now: string, step: Step): void {
		const parsed = v.safeParse(messageUpdateSchema, properties)
		if (!parsed.success) return
		const { info } = parsed.output
		const known = this.#messages.get(info.id)
		const message = { info, open: known?.open ?? new Map() }
		this.#messages.set(info.id, message)
		this.#aboutSession(info, step)
		if (info.role === 'assistant' && typeof info.time?.completed === 'number') {
			this.#finishParts(message, now, step)
		}
	}

	#aboutSession(info: RawMessage, step: Step): void {
		if (this.#children.has(info.sessionID)) return
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
		if (info.agent !== null) {
			about.mode = info.agent
			const asks = this.#asks(info.agent)
			if (asks !== null) about.asks = asks
		}
		const key = JSON.stringify(about)
		if (key === this.#about) return
		this.#about = key
		step.outputs.push(about)
	}

	#partUpdate(properties: unknown, now: string, step: Step): void {
		const parsed = v.safeParse(partUpdateSchema, properties)
		if (!parsed.success) return
		const { part, time } = parsed.output
		const at = timeOf(time, now)
		if (part.type === 'tool') this.#tool(part, at, step)
		else if (!this.#said.has(part.id)) this.#content(part, at, step)
	}

	#content(part: RawPart, at: string, step: Step): void {
		const message = this.#messages.get(part.messageID)
		const written = part.type === 'text' || part.type === 'reasoning'
		if (!written || message?.info.role === 'user' || typeof part.time?.end === 'number') {
			message?.open.delete(part.id)
			this.#part(part, message, at, step)
			return
		}
		message?.open.set(part.id, part)
		// Text that was there before its first piece.
		const text = part.text ?? ''
		const before = this.#written.get(part.id) ?? 0
		if (text.length > before) this.#frame(part, text.slice(before), step)
	}

	#part(part: RawPart, message: Message | undefined, at: string, step: Step): void {
		this.#said.add(part.id)
		const role = message?.info.role ?? null
		const event = partEvent(part, {
			role,
			model: message?.info.modelID ?? null,
			parent: this.#parentOf(part.sessionID),
			source: role === 'user' && part.type === 'text' ? this.#sourceOf(part) : 'agent',
			block: this.#written.delete(part.id) ? part.id : null,
		})
		if (event !== null) this.#say(at, event, step)
	}

	/** Whose prompt it is; each of ours comes back once. */
	#sourceOf(part: RawPart): 'agent' | 'viewer' {
		const at = this.#prompts.findIndex(({ text }) => text === part.text)
		const [prompt] = at < 0 ? [] : this.#prompts.splice(at, 1)
		return prompt?.source ?? 'agent'
	}

	#tool(part: RawPart, at: string, step: Step): void {
		const status = part.state?.status
		if (status === null || status === undefined || status === 'pending') return
		const parent = this.#parentOf(part.sessionID)
		this.#noteChild(part)
		if (!this.#called.has(part.id)) {
			this.#called.add(part.id)
			this.#say(at, toolUse(part, parent), step)
		}
		step.outputs.push(...this.#requests.called(part))
		const result = toolResult(part, parent)
		if (result === null || this.#said.has(part.id)) return
		this.#said.add(part.id)
		step.outputs.push(...this.#requests.settled(part))
		this.#say(at, result, step)
	}

	#noteChild({ state, callID, id }: RawPart): void {
		const child = state?.metadata?.sessionId
		if (typeof child === 'string') this.#children.set(child, callID ?? id)
	}

	#delta(properties: unknown, step: Step): void {
		const parsed = v.safeParse(deltaSchema, properties)
		if (!parsed.success || parsed.output.field !== 'text') return
		const { messageID, partID, delta } = parsed.output
		const part = this.#messages.get(messageID)?.open.get(partID)
		if (part === undefined) return
		part.text = (part.text ?? '') + delta
		this.#frame(part, delta, step)
	}

	#frame(part: RawPart, text: string, step: Step): void {
		if (text === '') return
		const offset = this.#written.get(part.id) ?? 0
		const kind = part.type === 'reasoning' ? 'agent_thinking' : 'agent_response'
		step.outputs.push({ type: 'text', block: part.id, kind, offset, text })
		this.#written.set(part.id, offset + text.length)
	}

	/** Parts that were cut off, by an interrupt or the end of the agent. */
	#finishParts(message: Message, now: string, step: Step): void {
		for (const part of message.open.values()) this.#part(part, message, now, step)
		message.open.clear()
	}

	#created(properties: unknown): void {
		const parsed = v.safeParse(sessionUpdateSchema, properties)
		if (!parsed.success) return
		const { id, parentID } = parsed.output.info
		if (parentID !== null && !this.#children.has(id)) this.#children.set(id, null)
	}

	/** `null` for a session of a person's. */
	#parentOf(session: string): string | null {
		return this.#children.has(session) ? (this.#children.get(session) ?? session) : null
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
		if (this.#children.has(sessionID)) return
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
		if (this.#busy.size > 0 || this.#prompts.length === 0) return
		this.#prompts.length = 0
		step.idle = true
	}

	#say(at: string, event: SessionEvent, step: Step): void {
		step.outputs.push({ type: 'event', at, event })
	}
}

function retryEvent(
	status: { attempt: number | null; message: string | null; next: number | null },
	now: string,
): SessionEvent {
	const { attempt, message, next } = status
	const delay = next === null ? null : Math.max(0, next - Date.parse(now))
	const wait = delay === null ? '' : ` in ${Math.round(delay / 100) / 10} s`
	return {
		kind: 'system',
		body: {
			type: 'api_retry',
			text: `The model did not answer (${message ?? 'no reason given'}); try ${attempt ?? '?'}${wait}`,
			data: { attempt, max_retries: null, retry_delay_ms: delay, error_status: null },
		},
	}
}

export function notice(at: string, text: string): AgentOutput {
	return {
		type: 'event',
		at,
		event: { kind: 'system', body: { type: 'notice', text, data: null } },
	}
}
