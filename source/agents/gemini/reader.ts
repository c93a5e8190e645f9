/** What Gemini CLI says over ACP, and in its chat file beside it → what the host is told. No input, no output. */
import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import { typeName } from '../foreign.ts'
import {
	chunkSchema,
	commandsSchema,
	modeSchema,
	permissionSchema,
	promptResultSchema,
	type RawTool,
	toolUpdateSchema,
	updateSchema,
} from './acp-schema.ts'
import type { ChatMessage, RawToolCall } from './chat-lines.ts'
import { asksIn } from './modes.ts'
import {
	changesIn,
	denial,
	type OpenRequest,
	openRequest,
	outcomeOf,
	permissionAsk,
	sessionRules,
	textIn,
	toolInput,
	toolName,
} from './request.ts'
import type { Reply, RpcId } from './rpc.ts'
import { toolResult } from './tool-results.ts'
import { usageOf } from './usage.ts'

interface Open extends OpenRequest {
	rpc: RpcId
	rules: ReturnType<typeof sessionRules>
}

interface Ended {
	tool: RawTool
	at: string
}

export class AcpReader {
	/** While a session that was loaded tells its history, nothing of it is news. */
	replaying = false
	/** The last turn ended with an error. */
	failed = false
	/** The approval mode that it is in, as far as it said. */
	mode: string | null = null
	readonly #cwd: string
	readonly #newId: () => string
	readonly #open = new Map<string, Open>()
	readonly #tools = new Set<string>()
	/** Calls of which we denied the request, with the reason. */
	readonly #denied = new Map<string, string>()
	/** Answered requests, by the call they were about: the agent has yet to go on. */
	readonly #answered = new Map<string, string>()
	/** Results whose text is in the chat file a moment later. */
	readonly #ended = new Map<string, Ended>()
	readonly #results = new Map<string, RawToolCall>()
	/** Calls whose result was told. */
	readonly #settled = new Set<string>()
	readonly #counted = new Set<string>()
	/** Modes that it may say it is in now: a model's text could look just like that. */
	readonly #modes = new Set<string>()
	#model: string | null = null
	/** Given after the text that they were for. */
	#usage: AgentOutput[] = []
	#text = ''
	#block: string | null = null

	/** `newId`: for requests, and for pieces of text. */
	constructor(cwd: string, newId: () => string = randomUUID) {
		this.#cwd = cwd
		this.#newId = newId
	}

	/** Lines of the chat file, to be handed over before the message that came after them. */
	chat(messages: readonly ChatMessage[], at: string): AgentOutput[] {
		const outputs: AgentOutput[] = []
		for (const message of messages) {
			for (const call of message.toolCalls) {
				if (!this.#settled.has(call.id)) this.#results.set(call.id, call)
			}
			if (message.type !== 'gemini') continue
			if (message.model !== null && message.model !== this.#model) {
				this.#model = message.model
				outputs.push({ type: 'about', model: message.model })
			}
			if (message.tokens === null || this.#counted.has(message.id)) continue
			this.#counted.add(message.id)
			if (message.again) continue
			const body = usageOf(message.id, message.model, message.tokens)
			this.#usage.push({ type: 'event', at, event: { kind: 'usage', body } })
		}
		return outputs
	}

	/** Whether the next message may have to wait for what the chat file says of a tool. */
	get awaitsResult(): boolean {
		return this.#ended.size > 0
	}

	/** What was said before this session: counted by whoever saw it. */
	skip(messages: readonly ChatMessage[]): void {
		for (const { id } of messages) this.#counted.add(id)
	}

	prompted(text: string, source: 'agent' | 'viewer', at: string): AgentOutput[] {
		this.failed = false
		return [
			{ type: 'event', at, event: { kind: 'user_prompt', body: { text, source } } },
			{ type: 'status', status: 'running' },
		]
	}

	/** The mode it is in at the start. */
	started(mode: string | null): AgentOutput[] {
		return mode === null ? [] : this.#mode(mode)
	}

	/** A mode was asked for: it may say that it is in it. */
	expectMode(mode: string): void {
		this.#modes.add(mode)
	}

	/** A notification. */
	update(params: unknown, at: string): AgentOutput[] {
		const parsed = v.safeParse(updateSchema, params)
		if (!parsed.success) return [unknown('update', at)]
		if (this.replaying) return []
		const { update } = parsed.output
		const type = update.sessionUpdate
		if (type === 'agent_message_chunk') {
			const chunk = v.safeParse(chunkSchema, update)
			if (chunk.success) return this.#said(chunk.output.content.text)
		}
		if (type === 'agent_thought_chunk') {
			const chunk = v.safeParse(chunkSchema, update)
			if (chunk.success) return [...this.#late(), ...this.#thought(chunk.output.content.text, at)]
		}
		if (type === 'tool_call' || type === 'tool_call_update') {
			const tool = v.safeParse(toolUpdateSchema, update)
			if (tool.success) return this.#tool(tool.output, at)
		}
		if (type === 'current_mode_update') {
			const mode = v.safeParse(modeSchema, update)
			if (mode.success) return this.#mode(mode.output.currentModeId)
		}
		if (type === 'available_commands_update') {
			const commands = v.safeParse(commandsSchema, update)
			// What can be typed at its prompt is nothing that happened.
			if (commands.success) return []
		}
		return [...this.#late(), unknown(type, at)]
	}

	/** A request. `null`: not understood, to be refused. */
	asked(rpc: RpcId, params: unknown, at: string): AgentOutput[] | null {
		const parsed = v.safeParse(permissionSchema, params)
		if (!parsed.success) return null
		const request = openRequest(parsed.output)
		if (request === null) return null
		const { toolCall } = parsed.output
		const rules = sessionRules(request, toolInput(toolCall))
		const id = this.#newId()
		this.#open.set(id, { ...request, rpc, rules })
		return [
			...this.#late(),
			...this.#endText(at),
			...this.#used(toolCall, at),
			{ type: 'request', id, ask: permissionAsk(parsed.output, request, this.#cwd) },
		]
	}

	/**
	 * What to answer; `null` when the request is gone. `taken: false`: the answer is none that the agent knows,
	 * and is a denial.
	 */
	answer(id: string, answer: AgentAnswer): { rpc: RpcId; optionId: string; taken: boolean } | null {
		const open = this.#open.get(id)
		if (open === undefined) return null
		this.#open.delete(id)
		const { optionId, approved, taken } = outcomeOf(open, answer, open.rules)
		this.#answered.set(open.toolUse, id)
		if (!approved) {
			const reason = answer.decision === 'deny' ? answer.reason : 'an answer of another form'
			this.#denied.set(open.toolUse, denial(reason))
		} else if (open.edits && optionId === open.session) this.expectMode('autoEdit')
		return { rpc: open.rpc, optionId, taken }
	}

	/** The turn is being interrupted: nobody decides about what waits. */
	drop(): { outputs: AgentOutput[]; rpcs: RpcId[] } {
		const dropped = [...this.#open]
		this.#open.clear()
		return {
			outputs: dropped.map(([id]) => ({ type: 'withdrawn', id, result: 'cancelled' })),
			rpcs: dropped.map(([, { rpc }]) => rpc),
		}
	}

	/** The reply to a prompt: the turn is over. */
	turnOver(reply: Reply, at: string): AgentOutput[] {
		const outputs = [...this.#late(), ...this.#endText(at), ...this.drop().outputs]
		for (const id of this.#answered.values()) outputs.push({ type: 'applied', id })
		this.#answered.clear()
		const event = this.#outcome(reply)
		if (event !== null) outputs.push({ type: 'event', at, event })
		return [...outputs, { type: 'status', status: 'idle' }]
	}

	/** The agent has ended. */
	end(at: string): AgentOutput[] {
		return [...this.#late(), ...this.#endText(at), ...this.drop().outputs]
	}

	#outcome(reply: Reply): SessionEvent | null {
		if (!reply.ok) {
			this.failed = true
			return { kind: 'error', body: { code: 'agent_api_error', text: reply.error.message } }
		}
		const parsed = v.safeParse(promptResultSchema, reply.result)
		const reason = parsed.success ? parsed.output.stopReason : 'unknown'
		if (reason === 'end_turn') return null
		if (reason === 'cancelled') {
			return { kind: 'system', body: { type: 'interrupted', text: null, data: null } }
		}
		this.failed = true
		const text = `The turn ended early: ${typeName(reason)}`
		return { kind: 'error', body: { code: `agent_${typeName(reason)}`, text } }
	}

	#said(text: string): AgentOutput[] {
		const mode = /^\[MODE_UPDATE\] (\w+)$/.exec(text)?.[1]
		if (mode !== undefined && this.#modes.has(mode)) return this.#mode(mode)
		const late = this.#late()
		this.#block ??= this.#newId()
		const offset = this.#text.length
		this.#text += text
		const block = this.#block
		return [...late, { type: 'text', block, kind: 'agent_response', offset, text }]
	}

	#endText(at: string): AgentOutput[] {
		const [text, block] = [this.#text, this.#block]
		const usage = this.#usage
		this.#text = ''
		this.#block = null
		this.#usage = []
		if (text === '') return usage
		const body = { text, block, model: this.#model, parent: null }
		return [{ type: 'event', at, event: { kind: 'agent_response', body } }, ...usage]
	}

	#thought(text: string, at: string): AgentOutput[] {
		const body = { text: text.trim(), block: null, parent: null }
		return [...this.#endText(at), { type: 'event', at, event: { kind: 'agent_thinking', body } }]
	}

	#tool(tool: RawTool, at: string): AgentOutput[] {
		const outputs = [...this.#late(), ...this.#endText(at), ...this.#used(tool, at)]
		if (tool.status !== 'completed' && tool.status !== 'failed') return outputs
		const answered = this.#answered.get(tool.toolCallId)
		this.#answered.delete(tool.toolCallId)
		if (answered !== undefined) outputs.push({ type: 'applied', id: answered })
		this.#ended.set(tool.toolCallId, { tool, at })
		return outputs
	}

	#used(tool: Omit<RawTool, 'status'>, at: string): AgentOutput[] {
		if (this.#tools.has(tool.toolCallId)) return []
		this.#tools.add(tool.toolCallId)
		const body = {
			tool_use: tool.toolCallId,
			name: toolName(tool),
			input: toolInput(tool),
			parent: null,
		}
		return [{ type: 'event', at, event: { kind: 'tool_use', body } }]
	}

	/** Results of tools that had ended before this message: by now the chat file has them, if ever. */
	#late(): AgentOutput[] {
		const outputs: AgentOutput[] = []
		for (const [id, ended] of this.#ended) {
			const call = this.#results.get(id)
			this.#results.delete(id)
			this.#settled.add(id)
			const body = { ...this.#result(ended, call), tool_use: id }
			const changes = changesIn(ended.tool.content)
			if (body.ok && body.changes.length === 0) body.changes = changes
			outputs.push({ type: 'event', at: ended.at, event: { kind: 'tool_result', body } })
		}
		this.#ended.clear()
		return outputs
	}

	#result({ tool }: Ended, call: RawToolCall | undefined) {
		const reason = this.#denied.get(tool.toolCallId)
		this.#denied.delete(tool.toolCallId)
		if (reason === undefined && call !== undefined) return toolResult(call)
		return {
			tool_use: tool.toolCallId,
			ok: tool.status === 'completed' && reason === undefined,
			text: reason ?? textIn(tool.content),
			exit_code: null,
			duration_ms: null,
			changes: [],
			parent: null,
		}
	}

	#mode(mode: string): AgentOutput[] {
		this.#modes.delete(mode)
		this.mode = typeName(mode)
		return [...this.#late(), { type: 'about', mode: this.mode, asks: asksIn(this.mode) }]
	}
}

function unknown(type: string, at: string): AgentOutput {
	const body = {
		type: `gemini/${typeName(type)}`,
		text: null,
		data: null,
	}
	return { type: 'event', at, event: { kind: 'system', body } }
}
