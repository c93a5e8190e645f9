/**
 * What OpenCode's server says, as far as we read it. New fields and types come every week, so a missing
 * field, or one of the wrong type, is `null` here. What decides about a permission is checked strictly,
 * in request.ts.
 */
import * as v from 'valibot'
import { amount, count, flag, maybe, maybeText as text } from '../lenient.ts'

const anything = v.optional(v.unknown(), null)

const span = maybe(v.object({ start: amount, end: amount, created: amount, completed: amount }))

/** One line of `/event`. */
const eventSchema = v.object({ id: text, type: v.string(), properties: anything })
export type RawEvent = v.InferOutput<typeof eventSchema>

const errorSchema = maybe(
	v.object({ name: text, data: maybe(v.object({ message: text, statusCode: amount })) }),
)
export type RawError = NonNullable<v.InferOutput<typeof errorSchema>>

export const messageSchema = v.object({
	id: v.string(),
	sessionID: v.string(),
	role: text,
	agent: text,
	modelID: text,
	path: maybe(v.object({ cwd: text })),
	time: span,
	summary: anything,
	error: errorSchema,
})
export type RawMessage = v.InferOutput<typeof messageSchema>

const tokensSchema = maybe(
	v.object({
		input: count,
		output: count,
		reasoning: count,
		cache: maybe(v.object({ read: count, write: count })),
	}),
)

const stateSchema = maybe(
	v.object({
		status: text,
		input: anything,
		output: text,
		error: text,
		metadata: maybe(v.record(v.string(), v.unknown())),
		time: span,
	}),
)

export const partSchema = v.object({
	id: v.string(),
	sessionID: v.string(),
	messageID: v.string(),
	type: text,
	text,
	synthetic: flag,
	ignored: flag,
	time: span,
	/** Of a tool. */
	callID: text,
	tool: text,
	state: stateSchema,
	/** Of the end of a step: one response of the model. */
	tokens: tokensSchema,
	cost: amount,
	/** Of a file. */
	filename: text,
	mime: text,
	/** Of a compaction. */
	auto: flag,
	/** Of a task for a sub-agent. */
	description: text,
})
export type RawPart = v.InferOutput<typeof partSchema>
export type ToolState = NonNullable<RawPart['state']>

export const partUpdateSchema = v.object({ part: partSchema, time: amount })
export const messageUpdateSchema = v.object({ info: messageSchema })
export const deltaSchema = v.object({
	messageID: v.string(),
	partID: v.string(),
	field: v.string(),
	delta: v.string(),
})
export const sessionSchema = v.object({ id: v.pipe(v.string(), v.nonEmpty()), parentID: text })
export const sessionUpdateSchema = v.object({ info: sessionSchema })
export const statusSchema = v.object({
	sessionID: v.string(),
	status: v.object({ type: v.string(), attempt: amount, message: text, next: amount }),
})
export const idleSchema = v.object({ sessionID: v.string() })
export const sessionErrorSchema = v.object({ sessionID: text, error: errorSchema })
export const repliedSchema = v.object({
	requestID: v.string(),
	reply: maybe(v.picklist(['once', 'always', 'reject'])),
})

/** An event, or `null`: no JSON, or no event. */
export function parseEvent(line: string): RawEvent | null {
	try {
		const parsed = v.safeParse(eventSchema, JSON.parse(line))
		return parsed.success ? parsed.output : null
	} catch {
		return null
	}
}

/** ms since 1970 as ISO 8601, where it is a time at all. */
export function timeOf(ms: number | null | undefined, fallback: string): string {
	if (ms === null || ms === undefined || !(ms >= 0 && ms < 253_402_300_800_000)) return fallback
	return new Date(ms).toISOString()
}
