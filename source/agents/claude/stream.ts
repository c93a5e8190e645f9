/**
 * stream-json of a headless session → outputs. A state machine without I/O and clock: lines and times go
 * in, outputs come out, with the few things its driver must do. Nothing in a line can make it throw.
 */
import * as v from 'valibot'
import type { AgentOutput } from '../agent.ts'
import { maybeText } from '../lenient.ts'
import { conversationEvents } from './content.ts'
import { canUseToolSchema, type OpenRequest, questionsOf, sessionRules } from './request.ts'
import { contentBlocks, parseLine, type RawLine, streamEventSchema, timeOf } from './schema.ts'
import { StreamUsage } from './stream-usage.ts'
import { asksInMode, systemEvent } from './system-line.ts'

export interface StreamStep {
	outputs: AgentOutput[]
	/** Control requests of the agent that must be answered with this error. */
	refuse: { id: string; error: string }[]
	/** Answers to control requests of ours. */
	replies: { id: string; ok: boolean; error: string | null }[]
	/** Nothing is left to do, after a turn or after the last background task. */
	idle: 'turn' | 'tasks' | null
}

const controlResponseSchema = v.object({
	subtype: v.string(),
	request_id: v.string(),
	error: maybeText,
})

interface Pending extends OpenRequest {
	answered: boolean
}

interface OpenBlock {
	id: string
	kind: 'agent_response' | 'agent_thinking'
	length: number
}

export class StreamReader {
	readonly #requests = new Map<string, Pending>()
	/** Prompts we sent, by uuid, and who typed them. */
	readonly #prompts = new Map<string, 'agent' | 'viewer'>()
	readonly #usage = new StreamUsage()
	/** What is being written, by the sub-agent's tool call ('' for the main one). */
	readonly #writing = new Map<string, { message: string | null; block: OpenBlock | null }>()
	/** When a tool began: its call, or our answer. ms since the epoch. */
	readonly #began = new Map<string, number>()
	#about = ''
	#lastError = ''
	#turn = false
	#tasks = 0

	/** A turn runs, a prompt is on its way, or a task runs in the background. */
	get busy(): boolean {
		return this.#turn || this.#prompts.size > 0 || this.#tasks > 0
	}

	/** Before a prompt is sent: its echo is the event. */
	prompted(uuid: string, source: 'agent' | 'viewer'): void {
		this.#prompts.set(uuid, source)
	}

	/** An open request that nobody answered yet. */
	request(id: string): OpenRequest | null {
		const request = this.#requests.get(id)
		return request === undefined || request.answered ? null : request
	}

	/** Before the answer is sent. */
	answered(id: string): void {
		const request = this.#requests.get(id)
		if (request !== undefined) request.answered = true
	}

	read(text: string, now: string): StreamStep {
		const step: StreamStep = { outputs: [], refuse: [], replies: [], idle: null }
		const line = parseLine(text)
		if (line === null) {
			step.outputs.push(notice(now, 'A line of the agent is not JSON and was left out'))
			return step
		}
		this.#line(line, timeOf(line.timestamp, now), step)
		return step
	}

	/** The agent has ended: what is still open is closed. */
	end(now: string): AgentOutput[] {
		const outputs: AgentOutput[] = []
		for (const id of this.#requests.keys()) {
			outputs.push({ type: 'withdrawn', id, result: 'cancelled' })
		}
		this.#requests.clear()
		for (const body of this.#usage.end()) {
			outputs.push({ type: 'event', at: now, event: { kind: 'usage', body } })
		}
		return outputs
	}

	#line(line: RawLine, at: string, step: StreamStep): void {
		switch (line.type) {
			case 'stream_event':
				this.#streamEvent(line, at, step)
				break
			case 'assistant':
			case 'user':
				this.#message(line, at, step)
				break
			case 'result':
				this.#result(line, at, step)
				break
			case 'control_request':
				this.#controlRequest(line, at, step)
				break
			case 'control_response':
				this.#controlResponse(line, at, step)
				break
			case 'control_cancel_request':
				this.#withdraw(line.request_id ?? '', 'cancelled', step)
				break
			case 'system':
				this.#system(line, at, step)
				break
			default: {
				const event = systemEvent(line)
				if (event !== null) step.outputs.push({ type: 'event', at, event })
			}
		}
	}

	#streamEvent(line: RawLine, at: string, step: StreamStep): void {
		const parsed = v.safeParse(streamEventSchema, line.event)
		if (!parsed.success) return
		const event = parsed.output
		const place = line.parent_tool_use_id ?? ''
		if (event.type === 'message_start') {
			if (place === '') this.#started(step)
			this.#writing.set(place, { message: event.message?.id ?? null, block: null })
			this.#usage.start(place, event.message)
			return
		}
		const writing = this.#writing.get(place)
		if (writing === undefined) return
		if (event.type === 'content_block_start') {
			const type = event.content_block?.type
			const kind =
				type === 'text' ? 'agent_response' : type === 'thinking' ? 'agent_thinking' : null
			const id = writing.message === null ? null : `${writing.message}:${event.index}`
			writing.block = kind === null || id === null ? null : { id, kind, length: 0 }
		} else if (event.type === 'content_block_delta') {
			const text = event.delta?.text ?? event.delta?.thinking ?? ''
			if (writing.block === null || text === '') return
			const { id, kind, length } = writing.block
			step.outputs.push({ type: 'text', block: id, kind, offset: length, text })
			writing.block.length += text.length
		} else if (event.type === 'content_block_stop') {
			writing.block = null
		} else if (event.type === 'message_delta') {
			this.#usage.delta(place, event.usage)
		} else if (event.type === 'message_stop') {
			this.#writing.delete(place)
			const body = this.#usage.stop(place)
			if (body !== null) step.outputs.push({ type: 'event', at, event: { kind: 'usage', body } })
		}
	}

	#message(line: RawLine, at: string, step: StreamStep): void {
		const parent = line.parent_tool_use_id
		this.#aboutSession(line, step)
		// A sub-agent in the background goes on while the turn is over.
		if (parent === null) this.#started(step)
		for (const block of contentBlocks(line.message?.content ?? null)) {
			if (block.type === 'tool_use' && block.id !== null) this.#began.set(block.id, Date.parse(at))
			if (block.type === 'tool_result' && block.tool_use_id !== null) {
				this.#resultOf(line, block.tool_use_id, !block.is_error, step)
			}
		}
		const items = conversationEvents(line, {
			parent,
			block: (_index, kind) => {
				const writing = this.#writing.get(parent ?? '')
				const open = writing?.message === line.message?.id ? writing?.block : null
				return open?.kind === kind ? open.id : null
			},
			duration: (toolUse) => {
				const began = this.#began.get(toolUse)
				this.#began.delete(toolUse)
				return began === undefined ? null : Math.max(0, Date.parse(at) - began)
			},
			promptSource: (uuid) => this.#prompts.get(uuid ?? '') ?? 'agent',
		})
		for (const { event } of items) {
			step.outputs.push({ type: 'event', at, event })
			if (event.kind === 'error') this.#lastError = event.body.text
		}
		if (line.isReplay && line.uuid !== null) this.#prompts.delete(line.uuid)
	}

	/** A tool has a result: whoever was asked about it, it is settled. */
	#resultOf(line: RawLine, toolUse: string, ok: boolean, step: StreamStep): void {
		for (const [id, request] of this.#requests) {
			if (request.toolUse !== toolUse) continue
			const meta = line.tool_result_meta?.find((entry) => entry.id === toolUse)
			const decision = meta?.permission_decision?.decision
			const approved = decision === null || decision === undefined ? ok : decision === 'accept'
			this.#requests.delete(id)
			step.outputs.push(
				request.answered
					? { type: 'applied', id }
					: { type: 'withdrawn', id, result: approved ? 'approved' : 'denied' },
			)
		}
	}

	#result(line: RawLine, at: string, step: StreamStep): void {
		this.#turn = false
		for (const body of this.#usage.result(line)) {
			step.outputs.push({ type: 'event', at, event: { kind: 'usage', body } })
		}
		const aborted = line.terminal_reason?.startsWith('aborted') ?? false
		if (line.is_error && !aborted) {
			const text = line.result ?? line.errors?.filter((e) => typeof e === 'string').join('\n') ?? ''
			const code = line.terminal_reason ?? line.subtype ?? 'failed'
			if (text === '' || text !== this.#lastError) {
				const body = { code: `agent_${code}`, text: text || `The agent ended its turn: ${code}` }
				step.outputs.push({ type: 'event', at, event: { kind: 'error', body } })
			}
		}
		this.#lastError = ''
		this.#idle('turn', step)
	}

	#controlRequest(line: RawLine, at: string, step: StreamStep): void {
		const id = line.request_id
		if (id === null || id === '') return
		const parsed = v.safeParse(canUseToolSchema, line.request)
		if (!parsed.success || this.#requests.has(id)) {
			step.refuse.push({ id, error: 'Not understood by the host, so not allowed' })
			step.outputs.push(
				notice(at, 'The agent asked something that the host does not understand; refused'),
			)
			return
		}
		const asked = parsed.output
		const questions = questionsOf(asked.tool_name, asked.input)
		const rules = sessionRules(asked.permission_suggestions)
		this.#requests.set(id, {
			tool: asked.tool_name,
			toolUse: asked.tool_use_id,
			input: asked.input,
			rules,
			question: questions !== null,
			answered: false,
		})
		step.outputs.push({
			type: 'request',
			id,
			ask: {
				tool: asked.tool_name,
				tool_use: asked.tool_use_id,
				input: asked.input,
				description: asked.description,
				cwd: null,
				reason: asked.decision_reason,
				changes: [],
				session_rules: rules,
				questions,
				...(questions === null ? { editable: true } : {}),
			},
		})
	}

	#controlResponse(line: RawLine, at: string, step: StreamStep): void {
		const parsed = v.safeParse(controlResponseSchema, line.response)
		if (!parsed.success) return
		const { request_id: id, subtype, error } = parsed.output
		const request = this.#requests.get(id)
		if (request?.answered) {
			// Our answer, played back: the agent has it.
			this.#requests.delete(id)
			if (request.toolUse !== null) this.#began.set(request.toolUse, Date.parse(at))
			step.outputs.push({ type: 'applied', id })
		} else {
			step.replies.push({ id, ok: subtype === 'success', error })
		}
	}

	#withdraw(id: string, result: 'cancelled', step: StreamStep): void {
		if (this.#requests.delete(id)) step.outputs.push({ type: 'withdrawn', id, result })
	}

	#system(line: RawLine, at: string, step: StreamStep): void {
		if (line.subtype === 'init') this.#started(step)
		this.#aboutSession(line, step)
		if (line.subtype === 'background_tasks_changed') {
			const before = this.#tasks
			this.#tasks = line.tasks?.length ?? 0
			if (before > 0) this.#idle('tasks', step)
		}
		const event = systemEvent(line)
		if (event !== null) step.outputs.push({ type: 'event', at, event })
	}

	#idle(after: 'turn' | 'tasks', step: StreamStep): void {
		if (this.busy) return
		step.idle = after
		step.outputs.push({ type: 'status', status: 'idle' })
	}

	#started(step: StreamStep): void {
		if (this.#turn) return
		this.#turn = true
		step.outputs.push({ type: 'status', status: 'running' })
	}

	#aboutSession(line: RawLine, step: StreamStep): void {
		const init = line.subtype === 'init'
		if (!init && line.permissionMode === null) return
		const about: Extract<AgentOutput, { type: 'about' }> = { type: 'about' }
		if (line.session_id !== null) about.session = line.session_id
		if (init && line.model !== null) about.model = line.model
		if (init && line.cwd !== null) about.cwd = line.cwd
		if (init && line.claude_code_version !== null) about.version = line.claude_code_version
		if (line.permissionMode !== null) {
			about.mode = line.permissionMode
			about.asks = asksInMode(line.permissionMode)
		}
		// The agent says all of this again at every turn.
		const key = JSON.stringify(about)
		if (key === this.#about) return
		this.#about = key
		step.outputs.push(about)
	}
}

export function notice(at: string, text: string): AgentOutput {
	return {
		type: 'event',
		at,
		event: { kind: 'system', body: { type: 'notice', text, data: null } },
	}
}
