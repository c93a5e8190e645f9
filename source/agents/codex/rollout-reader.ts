/**
 * Lines of a rollout → events, the same that the session gave while it ran. Codex writes most things twice:
 * for the model (`response_item`) and for people (`event_msg`). What is for people is read, and a call of the
 * model's where nothing else tells of it. Nothing in a line can make it throw.
 */
import type { SessionEvent } from '../../protocol/events.ts'
import { typeName } from '../foreign.ts'
import { errorEvent } from './errors.ts'
import { callOf, resultOf, saidBy, system } from './items.ts'
import { calledBy, resultOfCall } from './rollout-calls.ts'
import { endedItem, rolloutItem } from './rollout-items.ts'
import type { RolloutLine, RolloutPayload, RolloutTokens } from './rollout-schema.ts'
import { partsText, type RawItem, type RawTokens } from './schema.ts'
import { ThreadUsage, usageBody } from './usage.ts'

/** Bookkeeping, what is for the model only, and what comes again on another line. */
const quiet = new Set([
	'session_meta',
	'turn_context',
	'world_state',
	'retained_context',
	'response_item/message',
	'response_item/reasoning',
	'response_item/custom_tool_call',
	'response_item/web_search_call',
	'response_item/tool_search_call',
	'response_item/tool_search_output',
	'response_item/ghost_snapshot',
	'response_item/compaction',
	'event_msg/context_compacted',
	'event_msg/item_started',
	'event_msg/task_started',
	'event_msg/turn_started',
	'event_msg/thread_settings_applied',
	'event_msg/thread_name_updated',
])
const maxUnknown = 200

export class RolloutReader {
	readonly #usage = new ThreadUsage()
	/** Calls without a result. */
	readonly #open = new Set<string>()
	readonly #known = new Set<string>()
	readonly #unknown = new Set<string>()
	#thread: string | null = null
	#forked = false
	/** Usage is recorded by the response; before Codex did that, running totals are all there is. */
	#recorded = false
	#model: string | null = null
	#cwd: string | null = null

	/** What a line says. */
	read({ type, payload, raw }: RolloutLine): SessionEvent[] {
		switch (type) {
			case 'session_meta':
				return this.#meta(payload)
			case 'turn_context':
				this.#model = payload.model ?? this.#model
				this.#cwd = payload.cwd ?? this.#cwd
				return []
			case 'compacted':
				return [system('compact', 'Conversation compacted')]
			case 'token_usage_record':
				return this.#record(payload)
			case 'response_item':
				return this.#response(payload)
			case 'event_msg':
				return this.#event(payload, raw)
			default:
				return this.#other(type)
		}
	}

	/** A fork may carry the meta line of what it was forked from: the first one is its own. */
	#meta({ id, forked_from_id, cwd }: RolloutPayload): SessionEvent[] {
		if (this.#thread !== null) return []
		this.#thread = id
		this.#forked = forked_from_id !== null
		this.#cwd = cwd
		return []
	}

	/** What a fork carries of the thread that it was forked from is that one's. */
	#record({ thread_id, usage }: RolloutPayload): SessionEvent[] {
		this.#recorded = true
		if (usage === null || (thread_id !== null && thread_id !== this.#thread)) return []
		const body = usageBody(tokensOf(usage), this.#model)
		return body === null ? [] : [{ kind: 'usage', body }]
	}

	#totals({ info }: RolloutPayload): SessionEvent[] {
		const total = info?.total_token_usage ?? null
		const last = info?.last_token_usage ?? null
		// Of a fork without records nothing says which of it is its own.
		if (this.#recorded || this.#forked || total === null || last === null) return []
		const both = { total: tokensOf(total), last: tokensOf(last) }
		const body = this.#usage.add('', both, this.#model)
		return body === null ? [] : [{ kind: 'usage', body }]
	}

	#response(payload: RolloutPayload): SessionEvent[] {
		const body = calledBy(payload, this.#cwd)
		if (body !== null) {
			if (this.#known.has(body.tool_use)) return []
			this.#known.add(body.tool_use)
			this.#open.add(body.tool_use)
			return [{ kind: 'tool_use', body }]
		}
		if (payload.type === 'function_call_output' || payload.type === 'custom_tool_call_output') {
			const call = payload.call_id ?? ''
			if (!this.#open.delete(call)) return []
			return [{ kind: 'tool_result', body: resultOfCall(call, payload.output) }]
		}
		return this.#other(`response_item/${payload.type}`)
	}

	#event(payload: RolloutPayload, raw: unknown): SessionEvent[] {
		switch (payload.type) {
			case 'item_completed':
				return this.#item(rolloutItem(payload.item))
			case 'user_message':
				return payload.message === null ? [] : [prompt(payload.message)]
			case 'agent_message':
				return said('agentMessage', payload.message, this.#model)
			case 'agent_reasoning':
				return said('reasoning', payload.text, this.#model)
			case 'token_count':
				return this.#totals(payload)
			case 'task_complete':
			case 'turn_complete':
				return payload.error === null ? [] : this.#failed(payload.error)
			case 'error':
				return this.#failed(payload)
			case 'turn_aborted':
				return [...this.#interrupted(), system('interrupted', null)]
			default: {
				const ended = endedItem(raw)
				return ended === null ? this.#other(`event_msg/${payload.type}`) : this.#item(ended)
			}
		}
	}

	#item(item: RawItem | null): SessionEvent[] {
		if (item === null) return []
		if (item.type === 'userMessage') return [prompt(partsText(item.content))]
		if (item.type === 'contextCompaction') return []
		const call = callOf(item, null)
		if (call === null) {
			const event = saidBy(item, { model: this.#model, parent: null })
			return event === null ? [] : [event]
		}
		const events: SessionEvent[] = this.#known.has(item.id)
			? []
			: [{ kind: 'tool_use', body: call }]
		this.#known.add(item.id)
		if (events.length === 0 && !this.#open.has(item.id)) return []
		this.#open.delete(item.id)
		return [...events, { kind: 'tool_result', body: resultOf(item, null) }]
	}

	#failed(error: { message: string | null; codex_error_info: unknown }): SessionEvent[] {
		const { message, codex_error_info: codexErrorInfo } = error
		return [errorEvent({ message, codexErrorInfo, additionalDetails: null })]
	}

	/** Calls that a turn leaves without a result. */
	#interrupted(): SessionEvent[] {
		const events = [...this.#open].map(
			(call): SessionEvent => ({
				kind: 'tool_result',
				body: { ...resultOfCall(call, 'Interrupted.'), ok: false },
			}),
		)
		this.#open.clear()
		return events
	}

	/** A line of a kind that we do not know is kept under its name, once. */
	#other(type: string): SessionEvent[] {
		if (quiet.has(type) || this.#unknown.has(type) || this.#unknown.size >= maxUnknown) return []
		this.#unknown.add(type)
		return [system(`codex/${typeName(type.replaceAll('/', '.'))}`, null)]
	}
}

function prompt(text: string): SessionEvent {
	return { kind: 'user_prompt', body: { text, source: 'agent' } }
}

function said(
	type: 'agentMessage' | 'reasoning',
	text: string | null,
	model: string | null,
): SessionEvent[] {
	if (text === null || text === '') return []
	const common = { text, block: null, parent: null }
	return [
		type === 'reasoning'
			? { kind: 'agent_thinking', body: common }
			: { kind: 'agent_response', body: { ...common, model } },
	]
}

function tokensOf(tokens: RolloutTokens): RawTokens {
	return {
		inputTokens: tokens.input_tokens,
		cachedInputTokens: tokens.cached_input_tokens,
		cacheWriteInputTokens: tokens.cache_write_input_tokens,
		outputTokens: tokens.output_tokens,
	}
}
