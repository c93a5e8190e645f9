/** Parts of messages → session events, the same for a running session and for its history. */
import type { Body, SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import { tooDeep, typeName } from '../foreign.ts'
import { changesIn } from './patch.ts'
import type { RawError, RawPart, ToolState } from './schema.ts'

export const deepInput = '[input nested too deeply to show]'

/** A part that tells nothing of the conversation. */
const silent: ReadonlySet<string> = new Set(['step-start', 'snapshot', 'patch', 'agent', 'retry'])

export interface PartContext {
	role: string | null
	model: string | null
	/** The tool call (of a sub-agent) that the part belongs to. */
	parent: string | null
	/** Who typed a prompt. */
	source: 'agent' | 'viewer'
	/** The id that unstored text frames of this part carried. */
	block: string | null
}

/** What a part that is no tool says, once it is whole. */
export function partEvent(part: RawPart, context: PartContext): SessionEvent | null {
	const { parent, block, model } = context
	if (part.type === 'step-finish') return usageEvent(part, model)
	if (part.type === 'compaction') {
		const data = { trigger: part.auto ? 'auto' : 'manual' }
		return { kind: 'system', body: { type: 'compact', text: 'Conversation compacted', data } }
	}
	if (context.role === 'user') return userEvent(part, context)
	const text = part.text ?? ''
	if (part.type === 'text') {
		if (text === '') return null
		return { kind: 'agent_response', body: { text, block, model, parent } }
	}
	if (part.type === 'reasoning') {
		return text === '' ? null : { kind: 'agent_thinking', body: { text, block, parent } }
	}
	return other(part)
}

function userEvent(part: RawPart, { parent, source }: PartContext): SessionEvent | null {
	// What OpenCode itself adds to a prompt: its reminders, and files that the prompt names.
	if (part.synthetic || part.ignored) return null
	const file = [part.filename ?? part.mime?.replace(/[^\w./+-]/gu, '?').slice(0, 64)]
	const text = part.type === 'file' ? `[${['file', ...file].join(' ')}]` : part.text
	if (part.type !== 'text' && part.type !== 'file') return other(part)
	if (text === null || text === '') return null
	if (parent === null) return { kind: 'user_prompt', body: { text, source } }
	return { kind: 'system', body: { type: 'subagent_prompt', text, data: { parent } } }
}

/** A part of a type that we do not know: its name is kept, what is in it stays where it is. */
function other(part: RawPart): SessionEvent | null {
	if (silent.has(part.type ?? '')) return null
	return unknownEvent(part.type, part.type === 'subtask' ? part.description : null)
}

export function unknownEvent(type: string | null, text: string | null = null): SessionEvent {
	return { kind: 'system', body: { type: `opencode/${typeName(type)}`, text, data: null } }
}

/** The tokens of one response of the model. OpenCode counts reasoning apart from the rest of the output. */
function usageEvent(part: RawPart, model: string | null): SessionEvent | null {
	const { tokens, cost } = part
	if (tokens === null) return null
	const body: Body<'usage'> = {
		message: part.messageID,
		model,
		input: tokens.input,
		output: tokens.output + tokens.reasoning,
		cache_read: tokens.cache?.read ?? 0,
		cache_write: tokens.cache?.write ?? 0,
		cost_usd: cost,
		cost_source: cost === null ? 'none' : 'agent',
	}
	const used = body.input + body.output + body.cache_read + body.cache_write
	return used === 0 && !cost ? null : { kind: 'usage', body }
}

export function toolUse(part: RawPart, parent: string | null): SessionEvent {
	const input = part.state?.input ?? {}
	return {
		kind: 'tool_use',
		body: {
			tool_use: part.callID ?? part.id,
			name: part.tool ?? 'unknown',
			input: tooDeep(input) ? deepInput : input,
			parent,
		},
	}
}

/** `null` while the tool has no result. */
export function toolResult(part: RawPart, parent: string | null): SessionEvent | null {
	const { state } = part
	if (state?.status !== 'completed' && state?.status !== 'error') return null
	const exit = exitCode(state)
	const done = state.status === 'completed'
	return {
		kind: 'tool_result',
		body: {
			tool_use: part.callID ?? part.id,
			ok: done && (exit === null || exit === 0),
			text: (done ? state.output : state.error) ?? '',
			exit_code: exit,
			duration_ms: duration(state),
			changes: done ? changesIn(state.metadata) : [],
			parent,
		},
	}
}

function exitCode({ metadata }: ToolState): number | null {
	const exit = metadata?.exit
	return typeof exit === 'number' && Number.isInteger(exit) ? exit : null
}

function duration({ time }: ToolState): number | null {
	const ms = (time?.end ?? Number.NaN) - (time?.start ?? Number.NaN)
	return ms >= 0 ? ms : null
}

/** What went wrong with a turn; an interrupt is none of the agent's failures. */
export function errorEvent(error: RawError): SessionEvent {
	const text = error.data?.message ?? error.name ?? 'The agent gave no reason'
	if (error.name === 'MessageAbortedError') {
		return { kind: 'system', body: { type: 'interrupted', text, data: null } }
	}
	const name = (error.name ?? 'failed').replace(/Error$/, '').replace(/(?<=[a-z])(?=[A-Z])/g, '_')
	const code = name === 'API' ? 'agent_api_error' : `agent_${typeName(name).toLowerCase()}`
	return { kind: 'error', body: { code, text } }
}

/** The model is asked again. */
export function retryEvent(
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
