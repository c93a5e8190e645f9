/** Items of a thread (what was said, run, changed) → session events, the same live and imported. */
import type { Body, SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import { tooDeep, typeName } from '../foreign.ts'
import { fileChanges } from './changes.ts'
import { shownCommand } from './command-words.ts'
import { partsText, type RawItem } from './schema.ts'

export interface ItemContext {
	model: string | null
	/** The call that started the sub-agent whose item it is. */
	parent: string | null
}

/** The call that an item is, or `null` for an item that is none. */
export function callOf(item: RawItem, parent: string | null): Body<'tool_use'> | null {
	const call = (name: string, input: unknown) => ({
		tool_use: item.id,
		name,
		input: tooDeep(input) ? '[input nested too deeply to show]' : input,
		parent,
	})
	switch (item.type) {
		case 'commandExecution':
			return call('exec_command', { command: shownCommand(item.command ?? ''), cwd: item.cwd })
		case 'fileChange': {
			const paths = (item.changes ?? []).map(({ path }) => path)
			return call('apply_patch', { paths })
		}
		case 'mcpToolCall':
			return call(`mcp__${item.server ?? ''}__${item.tool ?? ''}`, item.arguments)
		case 'dynamicToolCall': {
			const space = item.namespace === null ? '' : `${item.namespace}__`
			return call(`${space}${item.tool ?? 'unknown'}`, item.arguments)
		}
		case 'collabAgentToolCall':
			return call(item.tool ?? 'agent', { prompt: item.prompt })
		case 'subAgentActivity':
			return item.kind === 'started' ? call('spawn_agent', { agent: item.agentPath }) : null
		case 'webSearch':
			return call('web_search', { query: item.query })
		case 'imageView':
			return call('view_image', { path: item.path })
		case 'imageGeneration':
		case 'sleep':
			return call(item.type === 'sleep' ? 'sleep' : 'image_generation', null)
		default:
			return null
	}
}

/** How a call went. */
export function resultOf(item: RawItem, parent: string | null): Body<'tool_result'> {
	const refused = item.status === 'declined' || item.status === 'failed'
	const failed =
		refused || item.error !== null || item.success === false || (item.exitCode ?? 0) !== 0
	return {
		tool_use: item.id,
		ok: !failed,
		text: resultText(item),
		exit_code: item.exitCode,
		duration_ms: item.durationMs !== null && item.durationMs >= 0 ? item.durationMs : null,
		changes: item.type === 'fileChange' && !failed ? fileChanges(item.changes ?? []) : [],
		parent,
	}
}

function resultText(item: RawItem): string {
	if (item.error !== null) return item.error.message ?? ''
	if (item.status === 'declined') return 'Declined: it did not run.'
	if (item.aggregatedOutput !== null) return item.aggregatedOutput
	const { result } = item
	if (result !== null && typeof result === 'object' && 'content' in result) {
		return partsText(result.content)
	}
	return partsText(item.contentItems)
}

/** What an item that is no call says; `null` for nothing. */
export function saidBy(item: RawItem, { model, parent }: ItemContext): SessionEvent | null {
	switch (item.type) {
		case 'agentMessage':
		case 'plan': {
			const text = item.text ?? ''
			if (text === '') return null
			return { kind: 'agent_response', body: { text, block: item.id, model, parent } }
		}
		case 'reasoning': {
			const content = partsText(item.content)
			const shown = item.summary.length > 0 ? item.summary.join('\n\n') : content
			const text = shown === '' ? '[thinking that the agent does not show]' : shown
			return { kind: 'agent_thinking', body: { text, block: item.id, parent } }
		}
		case 'contextCompaction':
			return system('compact', 'Conversation compacted')
		case 'enteredReviewMode':
		case 'exitedReviewMode':
			return system(item.type === 'enteredReviewMode' ? 'review' : 'review_over', item.review)
		case 'subAgentActivity':
			return system('subagent', `${item.agentPath ?? 'A sub-agent'}: ${item.kind ?? 'active'}`)
		default:
			return system(`codex/${typeName(item.type)}`, null)
	}
}

export function system(type: string, text: string | null, data: unknown = null): SessionEvent {
	return { kind: 'system', body: { type, text, data } }
}

export function event(at: string, of: SessionEvent): AgentOutput {
	return { type: 'event', at, event: of }
}

export function notice(at: string, text: string): AgentOutput {
	return event(at, system('notice', text))
}
