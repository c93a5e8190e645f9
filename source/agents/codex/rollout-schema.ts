/**
 * Codex's own record of a thread (`rollout-*.jsonl`), as far as we read it: one JSON object a line, with its
 * kind and a payload. Everything else is optional: a missing field, or one of the wrong type, is `null`.
 */
import * as v from 'valibot'
import { amount, count, list, maybe, maybeText as text } from '../lenient.ts'

const lineSchema = v.object({
	timestamp: text,
	type: v.pipe(v.string(), v.nonEmpty()),
	payload: v.record(v.string(), v.unknown()),
})

const metaSchema = v.object({
	type: v.literal('session_meta'),
	payload: v.object({ id: v.pipe(v.string(), v.nonEmpty()) }),
})

/** Whether a line says which thread of Codex a file is of. */
export function isRolloutLine(line: string): boolean {
	return v.is(metaSchema, parseJson(line))
}

const tokens = v.object({
	input_tokens: count,
	cached_input_tokens: count,
	cache_write_input_tokens: count,
	output_tokens: count,
})
export type RolloutTokens = v.InferOutput<typeof tokens>

/** What any of the payloads has, of what we read. */
const payloadSchema = v.object({
	type: text,
	id: text,
	cwd: text,
	model: text,
	history_mode: text,
	forked_from_id: text,
	thread_id: text,
	usage: maybe(tokens),
	info: maybe(v.object({ total_token_usage: maybe(tokens), last_token_usage: maybe(tokens) })),
	item: v.optional(v.unknown(), null),
	name: text,
	namespace: text,
	call_id: text,
	arguments: text,
	input: text,
	action: v.optional(v.unknown(), null),
	output: v.optional(v.unknown(), null),
	message: text,
	text,
	review: text,
	reason: text,
	error: maybe(v.object({ message: text, codex_error_info: v.optional(v.unknown(), null) })),
	codex_error_info: v.optional(v.unknown(), null),
})
export type RolloutPayload = v.InferOutput<typeof payloadSchema>

export interface RolloutLine {
	timestamp: string | null
	type: string
	payload: RolloutPayload
	/** The payload as it came, for what is an item. */
	raw: Record<string, unknown>
}

/** A line, or `null` for what is none. */
export function parseRolloutLine(line: string): RolloutLine | null {
	const parsed = v.safeParse(lineSchema, parseJson(line))
	if (!parsed.success) return null
	const { timestamp, type, payload } = parsed.output
	return { timestamp, type, payload: v.parse(payloadSchema, payload), raw: payload }
}

const durationSchema = maybe(v.object({ secs: amount, nanos: amount }))
export const rolloutItemSchema = v.looseObject({
	type: v.pipe(v.string(), v.nonEmpty()),
	id: v.pipe(v.string(), v.nonEmpty()),
	content: v.optional(v.unknown(), null),
	text,
	summary_text: list(v.string()),
	raw_content: v.optional(v.unknown(), null),
	command: maybe(v.array(v.string())),
	cwd: text,
	status: text,
	aggregated_output: text,
	exit_code: amount,
	duration: durationSchema,
	changes: maybe(
		v.record(
			v.string(),
			v.object({
				type: v.picklist(['add', 'delete', 'update']),
				content: text,
				unified_diff: text,
				move_path: text,
			}),
		),
	),
	server: text,
	tool: text,
	arguments: v.optional(v.unknown(), null),
	result: v.optional(v.unknown(), null),
	error: v.optional(v.unknown(), null),
	query: text,
	path: text,
	review: text,
	prompt: text,
	kind: text,
	agent_path: text,
})
export type RolloutItem = v.InferOutput<typeof rolloutItemSchema>

/** JSON, or `null` for what is none. */
export function parseJson(line: string): unknown {
	try {
		return JSON.parse(line)
	} catch {
		return null
	}
}

/** ISO 8601 in UTC, or `null`. */
export function timeOf(timestamp: string | null): string | null {
	const ms = timestamp === null ? Number.NaN : Date.parse(timestamp)
	return Number.isFinite(ms) && ms > 0 && ms < 253_402_300_800_000
		? new Date(ms).toISOString()
		: null
}
