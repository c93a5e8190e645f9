/**
 * What Claude Code writes, as far as we read it. New fields and types come every week, so everything is
 * optional here: a missing field, or one of the wrong type, is `null`. What decides about a permission is
 * checked strictly, in request.ts.
 */
import * as v from 'valibot'
import { amount, count, flag, maybe, maybeText as text } from '../lenient.ts'

export { tooDeep, typeName } from '../foreign.ts'

export const usageSchema = v.object({
	input_tokens: count,
	output_tokens: count,
	cache_read_input_tokens: count,
	cache_creation_input_tokens: count,
	cache_creation: maybe(
		v.object({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count }),
	),
})
export type RawUsage = v.InferOutput<typeof usageSchema>

const blockSchema = v.looseObject({
	type: text,
	text,
	thinking: text,
	id: text,
	name: text,
	input: v.optional(v.unknown(), null),
	tool_use_id: text,
	content: v.optional(v.unknown(), null),
	is_error: flag,
	title: text,
	source: maybe(v.object({ type: text, media_type: text, data: text, url: text })),
})
export type RawBlock = v.InferOutput<typeof blockSchema>

export const messageSchema = v.object({
	id: text,
	role: text,
	model: text,
	content: v.optional(v.unknown(), null),
	usage: maybe(usageSchema),
})

/** Running totals by model. */
const modelUsageSchema = maybe(
	v.record(
		v.string(),
		v.object({
			inputTokens: count,
			outputTokens: count,
			cacheReadInputTokens: count,
			cacheCreationInputTokens: count,
			costUSD: amount,
		}),
	),
)
export type ModelUsage = NonNullable<v.InferOutput<typeof modelUsageSchema>>[string]

const kindSchema = maybe(v.object({ kind: text }))

/** A line of a transcript or of stream-json; both spellings of a field, where they differ. */
export const lineSchema = v.object({
	type: text,
	subtype: text,
	uuid: text,
	parentUuid: text,
	timestamp: text,
	message: maybe(messageSchema),
	content: v.optional(v.unknown(), null),
	session_id: text,
	sessionId: text,
	cwd: text,
	version: text,
	claude_code_version: text,
	model: text,
	permissionMode: text,
	parent_tool_use_id: text,
	agentId: text,
	isSidechain: flag,
	isMeta: flag,
	isSynthetic: flag,
	isReplay: flag,
	isCompactSummary: flag,
	isApiErrorMessage: flag,
	is_api_error_message: flag,
	toolUseResult: v.optional(v.unknown(), null),
	tool_use_result: v.optional(v.unknown(), null),
	permissionDecision: maybe(v.object({ decision: text, source: text })),
	tool_result_meta: maybe(
		v.array(
			v.object({
				id: text,
				permission_decision: maybe(v.object({ decision: text, source: text })),
			}),
		),
	),
	origin: kindSchema,
	summary: text,
	attachment: maybe(v.looseObject({ type: text })),
	compactMetadata: maybe(v.object({ trigger: text })),
	compact_metadata: maybe(v.object({ trigger: text })),
	/** stream-json only. */
	event: v.optional(v.unknown(), null),
	request_id: text,
	request: v.optional(v.unknown(), null),
	response: v.optional(v.unknown(), null),
	tasks: maybe(v.array(v.unknown())),
	attempt: amount,
	max_retries: amount,
	retry_delay_ms: amount,
	error_status: amount,
	error: text,
	tool_name: text,
	is_error: flag,
	result: text,
	errors: maybe(v.array(v.unknown())),
	terminal_reason: text,
	total_cost_usd: amount,
	modelUsage: modelUsageSchema,
	model_usage_since_last_result: modelUsageSchema,
})
export type RawLine = v.InferOutput<typeof lineSchema>

export const streamEventSchema = v.object({
	type: text,
	index: v.optional(v.fallback(v.number(), 0), 0),
	message: maybe(messageSchema),
	content_block: maybe(v.object({ type: text })),
	delta: maybe(v.object({ type: text, text, thinking: text })),
	usage: maybe(
		v.looseObject({ output_tokens: amount, input_tokens: amount, cache_read_input_tokens: amount }),
	),
})

/** The line as an object, or `null`: no JSON, or no JSON object. */
export function parseLine(textOfLine: string): RawLine | null {
	let value: unknown
	try {
		value = JSON.parse(textOfLine)
	} catch {
		return null
	}
	const parsed = v.safeParse(lineSchema, value)
	return parsed.success && !Array.isArray(value) ? parsed.output : null
}

/** The content blocks of a message; a string is one text block. What is no block is one of unknown type. */
export function contentBlocks(content: unknown): RawBlock[] {
	if (typeof content === 'string') return [textBlock(content)]
	if (!Array.isArray(content)) return []
	return content.map((item: unknown) => {
		if (typeof item === 'string') return textBlock(item)
		const parsed = v.safeParse(blockSchema, item)
		if (parsed.success && !Array.isArray(item)) return parsed.output
		return v.parse(blockSchema, { type: 'unknown' })
	})
}

function textBlock(text: string): RawBlock {
	return v.parse(blockSchema, { type: 'text', text })
}

/** The agent's own time where it is one, else `fallback`. */
export function timeOf(timestamp: string | null, fallback: string): string {
	if (timestamp === null || timestamp.length > 40) return fallback
	const ms = Date.parse(timestamp)
	return Number.isFinite(ms) && ms >= 0 && ms < 253_402_300_800_000
		? new Date(ms).toISOString()
		: fallback
}
