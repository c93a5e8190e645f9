/**
 * Messages and their parts, which come piece by piece → outputs: text while it is written, and everything
 * once it is whole.
 */
import * as v from 'valibot'
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import { partEvent, toolResult, toolUse } from './parts.ts'
import type { PendingRequests } from './pending-requests.ts'
import {
	deltaSchema,
	messageUpdateSchema,
	partUpdateSchema,
	type RawMessage,
	type RawPart,
	sessionUpdateSchema,
	timeOf,
} from './schema.ts'

interface Message {
	info: RawMessage
	/** Parts that are being written. */
	open: Map<string, RawPart>
}

export class PartReader {
	readonly #requests: PendingRequests
	readonly #messages = new Map<string, Message>()
	/** Parts that were said, and tools that were called. */
	readonly #said = new Set<string>()
	/** Texts that were said when a tool was called after them, before OpenCode called them finished. */
	readonly #early = new Map<string, string>()
	readonly #called = new Set<string>()
	/** Characters of a part that were handed over while it is being written. */
	readonly #written = new Map<string, number>()
	/** Sub-agents' sessions, and the tool call that each belongs to, as far as it is known. */
	readonly #children = new Map<string, string | null>()
	/** Prompts of ours that have not come back yet. */
	readonly #prompts: { text: string; source: 'agent' | 'viewer' }[] = []

	/** `requests`: to be told of the calls that they are about. */
	constructor(requests: PendingRequests) {
		this.#requests = requests
	}

	/** A prompt is on its way. */
	get waiting(): boolean {
		return this.#prompts.length > 0
	}

	get sessions(): readonly string[] {
		return [...new Set([...this.#messages.values()].map(({ info }) => info.sessionID))]
	}

	knows(message: string): boolean {
		return this.#messages.has(message)
	}

	prompted(text: string, source: 'agent' | 'viewer'): void {
		this.#prompts.push({ text, source })
	}

	/** A prompt that was not sent after all; all of them, for no text. */
	unprompted(text?: string): void {
		const at = this.#prompts.findIndex((prompt) => prompt.text === text)
		if (text === undefined) this.#prompts.length = 0
		else if (at >= 0) this.#prompts.splice(at, 1)
	}

	/** Whether a session is a sub-agent's. */
	isChild(session: string): boolean {
		return this.#children.has(session)
	}

	/** The agent has ended: what is being written stays as it is. */
	end(now: string, out: AgentOutput[]): void {
		for (const message of this.#messages.values()) this.#finishParts(message, now, out)
	}

	/** A message as it is now; `null` when it is none. */
	message(properties: unknown, now: string, out: AgentOutput[]): RawMessage | null {
		const parsed = v.safeParse(messageUpdateSchema, properties)
		if (!parsed.success) return null
		const { info } = parsed.output
		const message = { info, open: this.#messages.get(info.id)?.open ?? new Map() }
		this.#messages.set(info.id, message)
		if (info.role === 'assistant' && typeof info.time?.completed === 'number') {
			this.#finishParts(message, now, out)
		}
		return info
	}

	/** A part as it is now. */
	update(properties: unknown, now: string, out: AgentOutput[]): void {
		const parsed = v.safeParse(partUpdateSchema, properties)
		if (!parsed.success) return
		const { part, time } = parsed.output
		const at = timeOf(time, now)
		if (part.type === 'tool') this.#tool(part, at, out)
		else if (this.#early.has(part.id)) this.#rest(part, at, out)
		else if (!this.#said.has(part.id)) this.#content(part, at, out)
	}

	/** What was written to a text after a tool was called. */
	#rest(part: RawPart, at: string, out: AgentOutput[]): void {
		if (typeof part.time?.end !== 'number') return
		const text = (part.text ?? '').slice(this.#early.get(part.id)?.length)
		this.#early.delete(part.id)
		const message = this.#messages.get(part.messageID)
		if (text.trim() !== '') this.#part({ ...part, text }, message, at, out)
	}

	#content(part: RawPart, at: string, out: AgentOutput[]): void {
		const message = this.#messages.get(part.messageID)
		const written = part.type === 'text' || part.type === 'reasoning'
		if (!written || message?.info.role === 'user' || typeof part.time?.end === 'number') {
			message?.open.delete(part.id)
			this.#part(part, message, at, out)
			return
		}
		message?.open.set(part.id, part)
		// Text that was there before its first piece.
		const text = part.text ?? ''
		const before = this.#written.get(part.id) ?? 0
		if (text.length > before) this.#frame(part, text.slice(before), out)
	}

	#part(part: RawPart, message: Message | undefined, at: string, out: AgentOutput[]): void {
		this.#said.add(part.id)
		const role = message?.info.role ?? null
		const event = partEvent(part, {
			role,
			model: message?.info.modelID ?? null,
			parent: this.#parentOf(part.sessionID),
			source: role === 'user' && part.type === 'text' ? this.#sourceOf(part) : 'agent',
			block: this.#written.delete(part.id) ? part.id : null,
		})
		if (event !== null) out.push(eventAt(at, event))
	}

	/** Whose prompt it is; each of ours comes back once. */
	#sourceOf(part: RawPart): 'agent' | 'viewer' {
		const at = this.#prompts.findIndex(({ text }) => text === part.text)
		const [prompt] = at < 0 ? [] : this.#prompts.splice(at, 1)
		return prompt?.source ?? 'agent'
	}

	#tool(part: RawPart, at: string, out: AgentOutput[]): void {
		const status = part.state?.status
		if (status === null || status === undefined || status === 'pending') return
		const parent = this.#parentOf(part.sessionID)
		this.#noteChild(part)
		if (!this.#called.has(part.id)) {
			this.#called.add(part.id)
			this.#sayBefore(part, at, out)
			out.push(eventAt(at, toolUse(part, parent)))
		}
		out.push(...this.#requests.called(part))
		const result = toolResult(part, parent)
		if (result === null || this.#said.has(part.id)) return
		this.#said.add(part.id)
		out.push(...this.#requests.settled(part))
		out.push(eventAt(at, result))
	}

	/** A text ends for OpenCode with the whole response; a reader wants it before the call that follows it. */
	#sayBefore({ messageID }: RawPart, at: string, out: AgentOutput[]): void {
		const message = this.#messages.get(messageID)
		if (message === undefined) return
		for (const part of message.open.values()) {
			part.text = part.text?.trimEnd() ?? null
			this.#early.set(part.id, part.text ?? '')
		}
		this.#finishParts(message, at, out)
	}

	#noteChild({ state, callID, id }: RawPart): void {
		const child = state?.metadata?.sessionId
		if (typeof child === 'string') this.#children.set(child, callID ?? id)
	}

	/** The next piece of a part that is being written. */
	delta(properties: unknown, out: AgentOutput[]): void {
		const parsed = v.safeParse(deltaSchema, properties)
		if (!parsed.success || parsed.output.field !== 'text') return
		const { messageID, partID, delta } = parsed.output
		const part = this.#messages.get(messageID)?.open.get(partID)
		if (part === undefined) return
		part.text = (part.text ?? '') + delta
		this.#frame(part, delta, out)
	}

	#frame(part: RawPart, text: string, out: AgentOutput[]): void {
		if (text === '') return
		const offset = this.#written.get(part.id) ?? 0
		const kind = part.type === 'reasoning' ? 'agent_thinking' : 'agent_response'
		out.push({ type: 'text', block: part.id, kind, offset, text })
		this.#written.set(part.id, offset + text.length)
	}

	/** Parts that were cut off, by an interrupt or the end of the agent. */
	#finishParts(message: Message, now: string, out: AgentOutput[]): void {
		for (const part of message.open.values()) this.#part(part, message, now, out)
		message.open.clear()
	}

	/** A session has begun, perhaps a sub-agent's. */
	created(properties: unknown): void {
		const parsed = v.safeParse(sessionUpdateSchema, properties)
		if (!parsed.success) return
		const { id, parentID } = parsed.output.info
		if (parentID !== null && !this.#children.has(id)) this.#children.set(id, null)
	}

	/** `null` for a session of a person's. */
	#parentOf(session: string): string | null {
		return this.#children.has(session) ? (this.#children.get(session) ?? session) : null
	}
}

function eventAt(at: string, event: SessionEvent): AgentOutput {
	return { type: 'event', at, event }
}
