/** Lines of the files in which Gemini CLI keeps its sessions (`~/.gemini/tmp/…/chats`), leniently read. */
import * as v from 'valibot'
import { tooDeep } from '../foreign.ts'
import { maybe, maybeText } from '../lenient.ts'

const count = v.optional(
	v.fallback(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e12)), 0),
	0,
)
const tokensSchema = v.object({
	input: count,
	output: count,
	cached: count,
	thoughts: count,
	tool: count,
})
export type RawTokens = v.InferOutput<typeof tokensSchema>

const toolCallSchema = v.object({
	id: v.string(),
	name: v.string(),
	args: v.optional(v.unknown(), null),
	result: v.optional(v.unknown(), null),
	resultDisplay: v.optional(v.unknown(), null),
	status: maybeText,
	timestamp: maybeText,
})
export type RawToolCall = v.InferOutput<typeof toolCallSchema>

const thoughtSchema = v.object({ subject: maybeText, description: maybeText })

/** What can be read of a list; one bad item does not cost the others. */
function itemsOf<T extends v.GenericSchema>(item: T) {
	return v.pipe(
		v.array(v.unknown()),
		v.transform((values): v.InferOutput<T>[] =>
			values.flatMap((value) => {
				const parsed = v.safeParse(item, value)
				return parsed.success ? [parsed.output] : []
			}),
		),
	)
}

function listOf<T extends v.GenericSchema>(item: T) {
	return v.optional(v.fallback(itemsOf(item), []), [])
}

const messageSchema = v.object({
	id: v.string(),
	timestamp: maybeText,
	type: v.string(),
	content: v.optional(v.unknown(), null),
	displayContent: v.optional(v.unknown(), null),
	model: maybeText,
	tokens: maybe(tokensSchema),
	thoughts: listOf(thoughtSchema),
	toolCalls: listOf(toolCallSchema),
})
export type ChatMessage = v.InferOutput<typeof messageSchema> & {
	/** Written once more, under another id, after the agent has changed its history. */
	again?: true
}

const headerSchema = v.object({
	sessionId: v.pipe(v.string(), v.nonEmpty()),
	projectHash: v.string(),
	startTime: v.string(),
	kind: maybeText,
})
export type ChatHeader = v.InferOutput<typeof headerSchema>

const messagesSchema = itemsOf(messageSchema)
const setSchema = v.object({ $set: v.object({ messages: messagesSchema }) })
const factsSchema = v.union([
	v.object({ $set: v.record(v.string(), v.unknown()) }),
	v.object({ $rewindTo: v.string() }),
])

export type ChatLine =
	| { type: 'header'; header: ChatHeader }
	| { type: 'message'; message: ChatMessage }
	/** All that the history is made of from now on. */
	| { type: 'history'; messages: ChatMessage[] }
	/** Facts about the session that are shown nowhere. */
	| { type: 'other' }

/** `null`: not a line of such a file. */
export function parseChatLine(text: string): ChatLine | null {
	const value = json(text)
	if (value === null || typeof value !== 'object' || tooDeep(value)) return null
	const header = v.safeParse(headerSchema, value)
	if (header.success) return { type: 'header', header: header.output }
	const message = v.safeParse(messageSchema, value)
	if (message.success) return { type: 'message', message: message.output }
	const set = v.safeParse(setSchema, value)
	if (set.success) return { type: 'history', messages: set.output.$set.messages }
	return v.is(factsSchema, value) ? { type: 'other' } : null
}

/**
 * The messages of a file, line by line. When Gemini CLI changes its history (after an interrupt, say), it
 * writes down what it keeps once more: first what it tells the model of the folder, then the messages, then
 * a list of them all. Those are marked.
 */
export class ChatMessages {
	#held: ChatMessage[] | null = null

	push(line: ChatLine): ChatMessage[] {
		if (line.type === 'history') {
			const ids = new Set(line.messages.map(({ id }) => id))
			const kept = line.messages.map((one) => ({ ...one, again: true as const }))
			return [...this.end().filter(({ id }) => !ids.has(id)), ...kept]
		}
		if (line.type !== 'message') return []
		const { message } = line
		if (this.#held === null && !(message.type === 'user' && isContext(textOf(message.content)))) {
			return [message]
		}
		this.#held = [...(this.#held ?? []), message]
		// A new response: what was held was no history after all.
		return message.tokens === null ? [] : this.end()
	}

	/** What is held back. */
	end(): ChatMessage[] {
		const held = this.#held ?? []
		this.#held = null
		return held
	}
}

/** What the agent tells the model about the folder at the start is no message of anybody's. */
export function isContext(text: string): boolean {
	return text.trimStart().startsWith('<session_context>')
}

/** Older versions keep a session as one JSON document. `null`: not one of those. */
export function parseChatDocument(
	text: string,
): { header: ChatHeader; messages: ChatMessage[] } | null {
	const value = json(text)
	if (value === null || typeof value !== 'object' || tooDeep(value)) return null
	const header = v.safeParse(headerSchema, value)
	const messages = v.safeParse(v.object({ messages: messagesSchema }), value)
	if (!header.success || !messages.success) return null
	return { header: header.output, messages: messages.output.messages }
}

function json(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		// Half a line, or none of ours.
		return null
	}
}

const partSchema = v.object({ text: maybeText, functionResponse: v.optional(v.unknown()) })

/** The text of a message's content: a string, or parts of which some are text. */
export function textOf(content: unknown): string {
	if (typeof content === 'string') return content
	if (!Array.isArray(content)) {
		const part = v.safeParse(partSchema, content)
		return part.success ? (part.output.text ?? '') : ''
	}
	return content.map((part: unknown) => textOf(part)).join('')
}
