/**
 * One conversation line → session events, the same for the stream, the live transcript and imported
 * history. Every block comes out exactly once, with its index, so that a line can be named and found again.
 */
import type { SessionEvent } from '../../protocol/events.ts'
import { contentBlocks, type RawBlock, type RawLine, tooDeep, typeName } from './schema.ts'
import { blockText, toolResult } from './tool-result.ts'

export interface ContentContext {
	/** The tool call (of a sub-agent) that the line belongs to. */
	parent: string | null
	/** The id that unstored text frames of this block carried. */
	block?: (index: number, kind: 'agent_response' | 'agent_thinking', text: string) => string | null
	/** How long a tool ran, in ms, where it is known from elsewhere. */
	duration?: (toolUse: string) => number | null
	/** Who typed a prompt, by the line's uuid. */
	promptSource?: (uuid: string | null) => 'agent' | 'viewer'
}

export interface ContentItem {
	index: number
	event: SessionEvent
}

export const deepInput = '[input nested too deeply to show]'

export function conversationEvents(line: RawLine, context: ContentContext): ContentItem[] {
	const message = line.message
	if (message === null) return []
	const blocks = contentBlocks(message.content)
	const role = message.role ?? line.type
	return blocks.map((block, index) => ({
		index,
		event:
			role === 'assistant'
				? assistantEvent(line, block, index, context)
				: userEvent(line, block, blocks, context),
	}))
}

function assistantEvent(
	line: RawLine,
	block: RawBlock,
	index: number,
	context: ContentContext,
): SessionEvent {
	const { parent } = context
	const frame = (kind: 'agent_response' | 'agent_thinking', text: string) =>
		context.block?.(index, kind, text) ?? null
	switch (block.type) {
		case 'text': {
			const text = block.text ?? ''
			if (line.isApiErrorMessage || line.is_api_error_message) {
				return { kind: 'error', body: { code: 'agent_api_error', text } }
			}
			const model = modelName(line.message?.model ?? null)
			return {
				kind: 'agent_response',
				body: { text, block: frame('agent_response', text), model, parent },
			}
		}
		case 'thinking':
		case 'redacted_thinking': {
			const text = block.thinking ?? ''
			const shown = text === '' ? '[thinking that the agent does not show]' : text
			return {
				kind: 'agent_thinking',
				body: { text: shown, block: frame('agent_thinking', text), parent },
			}
		}
		case 'tool_use':
		case 'server_tool_use':
		case 'mcp_tool_use':
			return {
				kind: 'tool_use',
				body: {
					tool_use: block.id ?? '',
					name: block.name ?? 'unknown',
					input: tooDeep(block.input) ? deepInput : block.input,
					parent,
				},
			}
		default:
			return block.tool_use_id === null
				? unknownEvent(block.type)
				: resultEvent(line, block, [block], context)
	}
}

function userEvent(
	line: RawLine,
	block: RawBlock,
	all: RawBlock[],
	context: ContentContext,
): SessionEvent {
	if (block.type === 'tool_result') return resultEvent(line, block, all, context)
	if (block.type !== 'text' && block.type !== 'image' && block.type !== 'document') {
		return unknownEvent(block.type)
	}
	const text = blockText(block)
	const type = promptType(line, text, context.parent)
	if (type !== null) {
		const data = context.parent === null ? null : { parent: context.parent }
		return { kind: 'system', body: { type, text, data } }
	}
	const source = context.promptSource?.(line.uuid) ?? 'agent'
	return { kind: 'user_prompt', body: { text, source } }
}

/** Why a line of the user's is not a prompt that a person typed; `null` when it is one. */
function promptType(line: RawLine, text: string, parent: string | null): string | null {
	if (line.isCompactSummary) return 'compact_summary'
	if (line.origin?.kind === 'task-notification' || text.startsWith('<task-notification>')) {
		return 'task_notification'
	}
	if (/^\[Request interrupted by user/.test(text)) return 'interrupted'
	if (/^<(?:local-command-|bash-(?:stdout|stderr|input))/.test(text)) return 'local_command'
	if (line.isMeta || line.isSynthetic) return 'meta'
	return parent === null ? null : 'subagent_prompt'
}

function resultEvent(
	line: RawLine,
	block: RawBlock,
	all: RawBlock[],
	context: ContentContext,
): SessionEvent {
	const results = all.filter((other) => other.tool_use_id !== null).length
	const structure = results === 1 ? (line.toolUseResult ?? line.tool_use_result) : null
	const durationMs = context.duration?.(block.tool_use_id ?? '') ?? null
	return {
		kind: 'tool_result',
		body: toolResult(block, { structure, durationMs, parent: context.parent }),
	}
}

/** A block of a type that we do not know: its name is kept, what is in it stays where it is. */
function unknownEvent(type: string | null): SessionEvent {
	return { kind: 'system', body: { type: `claude/${typeName(type)}`, text: null, data: null } }
}

/** `<synthetic>` is Claude Code speaking for itself: no model. */
export function modelName(model: string | null): string | null {
	return model === null || model.startsWith('<') ? null : model
}
