/** Messages of a chat file → session events: for a session that runs, and for its history. */
import * as v from 'valibot'
import type { SessionEvent } from '../../protocol/events.ts'
import { tooDeep, typeName } from '../foreign.ts'
import { type ChatMessage, isContext, type RawToolCall, textOf } from './chat-lines.ts'
import { toolResult } from './tool-results.ts'
import { usageOf } from './usage.ts'

export interface ChatEvent {
	/** Names what it came from, the same whenever the file is read. */
	source: string
	at: string | null
	event: SessionEvent
}

export const deepInput = '[input nested too deeply to show]'

const apiErrorSchema = v.object({ error: v.object({ message: v.string() }) })

/** Gives each thing once, though messages are written again as they grow. */
export class ChatEvents {
	readonly #given = new Set<string>()

	read(message: ChatMessage): ChatEvent[] {
		const events: ChatEvent[] = []
		const once = (source: string, event: SessionEvent, at = message.timestamp) => {
			if (this.#given.has(source)) return
			this.#given.add(source)
			if (!message.again) events.push({ source, at, event })
		}
		const give = (part: string, event: SessionEvent) => once(`${message.id}.${part}`, event)
		const text = textOf(message.displayContent ?? message.content)
		switch (message.type) {
			case 'user':
				if (text !== '' && !isContext(text)) {
					give('text', { kind: 'user_prompt', body: { text, source: 'agent' } })
				}
				break
			case 'gemini':
				for (const [index, { subject, description }] of message.thoughts.entries()) {
					const thought = [subject === null ? '' : `**${subject}**`, description ?? '']
					const body = { text: thought.join('\n').trim(), block: null, parent: null }
					if (body.text !== '') give(`thought-${index}`, { kind: 'agent_thinking', body })
				}
				if (text !== '') {
					const body = { text, block: null, model: message.model, parent: null }
					give('text', { kind: 'agent_response', body })
				}
				if (message.tokens !== null) {
					const body = usageOf(message.id, message.model, message.tokens)
					give('usage', { kind: 'usage', body })
				}
				for (const call of message.toolCalls) {
					once(`use-${call.id}`, toolUse(call), call.timestamp)
					if (hasEnded(call)) {
						once(
							`result-${call.id}`,
							{ kind: 'tool_result', body: toolResult(call) },
							call.timestamp,
						)
					}
				}
				break
			case 'error':
				give('error', { kind: 'error', body: { code: 'agent_api_error', text: errorText(text) } })
				break
			default:
				give('other', other(message.type, text))
		}
		return events
	}
}

function toolUse({ id, name, args }: RawToolCall): SessionEvent {
	const input = tooDeep(args) ? deepInput : (args ?? {})
	return { kind: 'tool_use', body: { tool_use: id, name, input, parent: null } }
}

function hasEnded({ status }: RawToolCall): boolean {
	return status === 'success' || status === 'error' || status === 'cancelled'
}

/** What the agent tells its person beside the conversation. */
function other(type: string, text: string): SessionEvent {
	if (type === 'info' && text === 'Request cancelled.') {
		return { kind: 'system', body: { type: 'interrupted', text, data: null } }
	}
	return { kind: 'system', body: { type: `gemini/${typeName(type)}`, text, data: null } }
}

/** The API's own words, out of what the agent wraps them in. */
function errorText(text: string): string {
	const json = /^\[API Error: (.*)\]$/s.exec(text)?.[1]
	if (json === undefined) return text
	try {
		const parsed = v.safeParse(apiErrorSchema, JSON.parse(json))
		return parsed.success ? parsed.output.error.message : json
	} catch {
		// Not JSON: words already.
		return json
	}
}
