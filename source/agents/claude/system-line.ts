/** Lines that are no message: which of them are worth a row in the transcript, and which are not. */
import type { SessionEvent } from '../../protocol/events.ts'
import { contentBlocks, type RawLine, typeName } from './schema.ts'
import { blockText } from './tool-result.ts'

/**
 * Left out on purpose: bookkeeping of Claude Code, and what must never be forwarded (system prompts, tool
 * schemas, requests to the model).
 */
const skippedTypes = new Set([
	'agent-color',
	'agent-name',
	'agent-setting',
	'ai-title',
	'api-request',
	'api-request-blob',
	'api-request-shape',
	'atis-latch',
	'attribution-snapshot',
	'auth_status',
	'command_lifecycle',
	'content-replacement',
	'cost-state',
	'custom-title',
	'file-history-delta',
	'file-history-snapshot',
	'keep_alive',
	'last-prompt',
	'mode',
	'permission-mode',
	'pr-link',
	'progress',
	'prompt_suggestion',
	'queue-operation',
	'rate_limit_event',
	'speculation-accept',
	'tag',
	'task-summary',
	'tool_progress',
	'tool_use_summary',
	'tools-used',
	'transcript_mirror',
	'worktree-state',
])

const skippedSubtypes = new Set([
	'api_error',
	'api_metrics',
	'background_tasks_changed',
	'bridge_status',
	'files_persisted',
	'hook_progress',
	'hook_response',
	'hook_started',
	'init',
	'session_state_changed',
	'status',
	'stop_hook_summary',
	'task_notification',
	'task_progress',
	'task_started',
	'task_updated',
	'thinking_tokens',
	'turn_duration',
])

/** The event of a line that is neither a message nor control, or `null` for one that is left out. */
export function systemEvent(line: RawLine): SessionEvent | null {
	switch (line.type) {
		case 'system':
			return subtypeEvent(line)
		case 'summary':
			return line.summary === null ? null : system('summary', line.summary)
		case 'attachment':
			return attachmentEvent(line)
		default: {
			if (line.type !== null && skippedTypes.has(line.type)) return null
			// An unknown line is worth a row when it belongs to the conversation.
			const conversation = line.uuid !== null && (line.message !== null || line.timestamp !== null)
			return conversation ? system(`claude/${typeName(line.type)}`, null) : null
		}
	}
}

function subtypeEvent(line: RawLine): SessionEvent | null {
	const subtype = line.subtype
	if (subtype !== null && skippedSubtypes.has(subtype)) return null
	const text = typeof line.content === 'string' ? line.content : null
	switch (subtype) {
		case 'api_retry':
			return retryEvent(line)
		case 'compact_boundary': {
			const data = { trigger: (line.compactMetadata ?? line.compact_metadata)?.trigger ?? null }
			return {
				kind: 'system',
				body: { type: 'compact', text: text ?? 'Conversation compacted', data },
			}
		}
		case 'permission_denied':
			return system('permission_denied', line.tool_name)
		case 'informational':
		case 'local_command':
		case 'away_summary':
			return system(subtype, text)
		default:
			return text === null ? null : system(`claude/${typeName(subtype)}`, text)
	}
}

function retryEvent(line: RawLine): SessionEvent {
	const cause = line.error_status === null ? 'no connection' : `status ${line.error_status}`
	const again = line.max_retries === null ? '' : ` of ${line.max_retries}`
	const wait =
		line.retry_delay_ms === null ? '' : ` in ${Math.round(line.retry_delay_ms / 100) / 10} s`
	return {
		kind: 'system',
		body: {
			type: 'api_retry',
			text: `The model did not answer (${cause}); try ${line.attempt ?? '?'}${again}${wait}`,
			data: {
				attempt: line.attempt,
				max_retries: line.max_retries,
				retry_delay_ms: line.retry_delay_ms,
				error_status: line.error_status,
			},
		},
	}
}

/** Of all attachments only a prompt typed while the agent was busy is part of the conversation. */
function attachmentEvent(line: RawLine): SessionEvent | null {
	if (line.attachment?.type !== 'queued_command') return null
	const text = contentBlocks(line.attachment.prompt).map(blockText).join('\n')
	if (text === '') return null
	return line.attachment.commandMode === 'task-notification' ||
		text.startsWith('<task-notification>')
		? system('task_notification', text)
		: { kind: 'user_prompt', body: { text, source: 'agent' } }
}

function system(type: string, text: string | null): SessionEvent {
	return { kind: 'system', body: { type, text, data: null } }
}

/** Whether requests reach a person in this permission mode; an unknown mode is not said to. */
export function asksInMode(mode: string): boolean {
	return mode === 'default' || mode === 'manual' || mode === 'acceptEdits' || mode === 'plan'
}
