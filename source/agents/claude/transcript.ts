/**
 * Transcript lines → outputs; for native sessions and for imported history. One reader a file; it has no
 * I/O and no clock. Usage is given once per model response, after its last line.
 */
import type { AgentOutput } from '../agent.ts'
import { type ContentContext, conversationEvents, modelName } from './content.ts'
import { contentBlocks, type RawLine, type RawUsage, timeOf } from './schema.ts'
import { asksInMode, systemEvent } from './system-line.ts'
import { blockText } from './tool-result.ts'
import { isEmpty, pricedUsage, tokensOf } from './usage.ts'

export interface TranscriptItem {
	/** Names the line and the block, or the model response: stable over time and machines. */
	source: string
	output: AgentOutput
}

/** What a line says about a permission, for whoever has a request open. */
export interface Settled {
	toolUse: string
	/** `null`: it was decided by a hook, how is not said; the tool may still be running. */
	approved: boolean | null
	by: 'hook' | 'other'
}

interface OpenTool {
	id: string
	name: string
	input: string
}

export class TranscriptReader {
	readonly #context: ContentContext
	readonly #about = new Map<string, string>()
	/** Tool calls without a result yet, in order. */
	readonly #open = new Map<string, OpenTool>()
	/** Calls that started a sub-agent, by the prompt they gave it. */
	readonly #agentCalls = new Map<string, string>()
	/** Lines of sub-agents in this file, and the call that each belongs to. */
	readonly #sideLines = new Map<string, string>()
	#usage: { id: string; model: string | null; usage: RawUsage; at: string } | null = null
	readonly #counted = new Set<string>()

	constructor(context: ContentContext) {
		this.#context = context
	}

	/**
	 * The outputs of one line. `name` is its uuid, or what else names it; `now` is its time where it has
	 * none.
	 */
	read(line: RawLine, name: string, now: string): { items: TranscriptItem[]; settled: Settled[] } {
		const at = timeOf(line.timestamp, now)
		const items: TranscriptItem[] = this.#aboutItems(line, name)
		if (line.type === 'user' || line.type === 'assistant') {
			if (line.message?.id !== this.#usage?.id) items.push(...this.flush())
			this.#noteUsage(line, at)
			const context = { ...this.#context, parent: this.#parent(line) }
			for (const { index, event } of conversationEvents(line, context)) {
				items.push({ source: `${name}#${index}`, output: { type: 'event', at, event } })
			}
		} else {
			const event = systemEvent(line)
			if (event !== null) {
				items.push(...this.flush())
				items.push({ source: `${name}#0`, output: { type: 'event', at, event } })
			}
		}
		return { items, settled: this.#follow(line) }
	}

	/** The usage of the last model response, once no more of its lines are to come. */
	flush(): TranscriptItem[] {
		const last = this.#usage
		this.#usage = null
		if (last === null || isEmpty(tokensOf(last.usage)) || this.#counted.has(last.id)) return []
		this.#counted.add(last.id)
		const body = pricedUsage(last.id, last.model, last.usage)
		return [
			{
				source: `usage:${last.id}`,
				output: { type: 'event', at: last.at, event: { kind: 'usage', body } },
			},
		]
	}

	/** The newest tool call without a result that has this name and this input. */
	openTool(name: string, input: unknown): string | null {
		const wanted = canonical(input)
		for (const tool of [...this.#open.values()].reverse()) {
			if (tool.name === name && tool.input === wanted) return tool.id
		}
		return null
	}

	/** The call that started a sub-agent with this prompt. */
	agentCall(prompt: string): string | null {
		return this.#agentCalls.get(prompt) ?? null
	}

	/** The call that a line belongs to. Older versions kept sub-agents in the session's own file. */
	#parent(line: RawLine): string | null {
		if (this.#context.parent !== null || !line.isSidechain) return this.#context.parent
		const above = line.parentUuid === null ? undefined : this.#sideLines.get(line.parentUuid)
		const prompt = () =>
			contentBlocks(line.message?.content ?? null)
				.map(blockText)
				.join('\n')
		const parent = above ?? this.agentCall(prompt()) ?? line.agentId ?? 'sidechain'
		if (line.uuid !== null) this.#sideLines.set(line.uuid, parent)
		return parent
	}

	#aboutItems(line: RawLine, name: string): TranscriptItem[] {
		const changed = (key: string, value: string | null): value is string => {
			if (value === null || this.#about.get(key) === value) return false
			this.#about.set(key, value)
			return true
		}
		const about: Extract<AgentOutput, { type: 'about' }> = { type: 'about' }
		const session = line.sessionId ?? line.session_id
		const model = line.type === 'assistant' ? modelName(line.message?.model ?? null) : null
		if (changed('session', session)) about.session = session
		if (changed('cwd', line.cwd)) about.cwd = line.cwd
		if (changed('version', line.version)) about.version = line.version
		if (changed('model', model)) about.model = model
		if (changed('mode', line.permissionMode)) {
			about.mode = line.permissionMode
			about.asks = asksInMode(line.permissionMode)
		}
		return Object.keys(about).length === 1 ? [] : [{ source: `${name}#about`, output: about }]
	}

	#noteUsage(line: RawLine, at: string): void {
		const { id, usage, model } = line.message ?? { id: null, usage: null, model: null }
		if (line.type !== 'assistant' || id === null || usage === null) return
		const before = this.#usage?.id === id ? this.#usage.usage : null
		this.#usage = {
			id,
			model: modelName(model),
			// Early lines of a response may hold a snapshot: the largest count is the last one.
			usage: before !== null && before.output_tokens > usage.output_tokens ? before : usage,
			at,
		}
	}

	#follow(line: RawLine): Settled[] {
		if (line.type === 'attachment' && line.attachment?.type === 'hook_permission_decision') {
			const id = line.attachment.toolUseID
			return typeof id === 'string' ? [{ toolUse: id, approved: null, by: 'hook' }] : []
		}
		const settled: Settled[] = []
		if (line.type !== 'user' && line.type !== 'assistant') return settled
		for (const block of contentBlocks(line.message?.content ?? null)) {
			if (block.type === 'tool_use' && block.id !== null) {
				const prompt = promptOf(block.input)
				if (prompt !== null && isAgentTool(block.name)) this.#agentCalls.set(prompt, block.id)
				const input = canonical(block.input)
				this.#open.set(block.id, { id: block.id, name: block.name ?? '', input })
			}
			if (block.type === 'tool_result' && block.tool_use_id !== null) {
				this.#open.delete(block.tool_use_id)
				const by = line.permissionDecision?.source === 'hook' ? 'hook' : 'other'
				const decision = line.permissionDecision?.decision ?? null
				const approved = decision === null ? !block.is_error : decision === 'accept'
				settled.push({ toolUse: block.tool_use_id, approved, by })
			}
		}
		return settled
	}
}

/** Equal for equal JSON whatever the order of keys. Only for comparing in memory, never signed. */
export function canonical(value: unknown, depth = 0): string {
	if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
	if (depth > 100) return '"…"'
	if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join()}]`
	const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
	return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, depth + 1)}`).join()}}`
}

function isAgentTool(name: string | null): boolean {
	return name === 'Agent' || name === 'Task'
}

function promptOf(input: unknown): string | null {
	if (input === null || typeof input !== 'object' || !('prompt' in input)) return null
	return typeof input.prompt === 'string' ? input.prompt : null
}
