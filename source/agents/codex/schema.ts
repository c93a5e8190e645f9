/**
 * What Codex's app-server writes, as far as we read it: JSON-RPC without the version field, one message a
 * line. Everything is optional here: a missing field, or one of the wrong type, is `null`. What decides
 * about a permission is checked strictly, in request.ts.
 */
import * as v from 'valibot'
import { amount, count, list, maybe, maybeText as text } from '../lenient.ts'

export type RpcId = string | number

export type RpcMessage =
	| { type: 'request'; id: RpcId; method: string; params: unknown }
	| { type: 'notification'; method: string; params: unknown; at: number | null }
	| { type: 'response'; id: RpcId; result: unknown; error: string | null }

const idSchema = v.union([v.string(), v.pipe(v.number(), v.safeInteger())])
const rpcSchema = v.object({
	id: v.optional(v.nullable(idSchema), null),
	method: v.optional(v.nullable(v.string()), null),
	params: v.optional(v.unknown(), null),
	result: v.optional(v.unknown(), null),
	error: v.optional(v.nullable(v.object({ message: text })), null),
	emittedAtMs: amount,
})

/** A message, or `null` for what is none. */
export function parseMessage(line: string): RpcMessage | null {
	let value: unknown
	try {
		value = JSON.parse(line)
	} catch {
		return null
	}
	const parsed = v.safeParse(rpcSchema, value)
	if (!parsed.success || Array.isArray(value)) return null
	const { id, method, params, result, error, emittedAtMs } = parsed.output
	if (method !== null) {
		return id === null
			? { type: 'notification', method, params, at: emittedAtMs }
			: { type: 'request', id, method, params }
	}
	if (id === null) return null
	const why = error === null ? null : (error.message ?? 'no reason given')
	return { type: 'response', id, result, error: why }
}

export const changeSchema = v.object({
	path: v.pipe(v.string(), v.nonEmpty()),
	kind: v.object({ type: v.picklist(['add', 'delete', 'update']), move_path: text }),
	diff: v.string(),
})
export type RawChange = v.InferOutput<typeof changeSchema>

/** A part of a message or of a result. */
const partSchema = v.object({ type: text, text, path: text, url: text })
export type RawPart = v.InferOutput<typeof partSchema>

export const itemSchema = v.object({
	type: text,
	id: v.pipe(v.string(), v.nonEmpty()),
	clientId: text,
	text,
	content: v.optional(v.unknown(), null),
	summary: list(v.string()),
	command: text,
	cwd: text,
	status: text,
	aggregatedOutput: text,
	exitCode: amount,
	durationMs: amount,
	changes: maybe(v.array(changeSchema)),
	server: text,
	namespace: text,
	tool: text,
	arguments: v.optional(v.unknown(), null),
	result: v.optional(v.unknown(), null),
	error: maybe(v.object({ message: text })),
	success: maybe(v.boolean()),
	contentItems: v.optional(v.unknown(), null),
	prompt: text,
	receiverThreadIds: list(v.string()),
	agentThreadId: text,
	agentPath: text,
	kind: text,
	query: text,
	path: text,
	review: text,
})
export type RawItem = v.InferOutput<typeof itemSchema>

export const tokensSchema = v.object({
	inputTokens: count,
	cachedInputTokens: count,
	cacheWriteInputTokens: count,
	outputTokens: count,
})
export type RawTokens = v.InferOutput<typeof tokensSchema>

const errorSchema = v.object({
	message: text,
	codexErrorInfo: v.optional(v.unknown(), null),
	additionalDetails: text,
})
export type RawError = v.InferOutput<typeof errorSchema>

const turnSchema = v.object({ id: text, status: text, error: maybe(errorSchema) })

const threadSchema = v.object({
	id: v.pipe(v.string(), v.nonEmpty()),
	parentThreadId: text,
	ephemeral: maybe(v.boolean()),
	model: text,
})
export type RawThread = v.InferOutput<typeof threadSchema>

/** Parameters of notifications: all that any of them has, of what we read. */
export const paramsSchema = v.object({
	threadId: text,
	turnId: text,
	itemId: text,
	delta: text,
	summaryIndex: amount,
	item: maybe(itemSchema),
	turn: maybe(turnSchema),
	tokenUsage: maybe(v.object({ total: tokensSchema, last: tokensSchema })),
	requestId: maybe(idSchema),
	error: maybe(errorSchema),
	willRetry: maybe(v.boolean()),
	message: text,
	summary: text,
	explanation: text,
	plan: maybe(v.array(v.object({ step: v.string(), status: text }))),
	changes: maybe(v.array(changeSchema)),
	thread: maybe(threadSchema),
	threadSettings: v.optional(v.unknown(), null),
	fromModel: text,
	toModel: text,
})
export type RawParams = v.InferOutput<typeof paramsSchema>

/** Parameters that are no object have no field. */
export function paramsOf(params: unknown): RawParams {
	const parsed = v.safeParse(paramsSchema, params)
	return parsed.success ? parsed.output : v.parse(paramsSchema, {})
}

const settings = {
	model: text,
	cwd: text,
	approvalPolicy: v.optional(v.unknown(), null),
	approvalsReviewer: text,
}
export const settingsSchema = v.object({
	...settings,
	sandboxPolicy: maybe(v.object({ type: text })),
})

/** Answer to `thread/start`, `thread/resume` and `thread/fork`. */
export const openedSchema = v.object({
	thread: v.object({ ...threadSchema.entries, cliVersion: text }),
	...settings,
	sandbox: maybe(v.object({ type: text })),
})
export type Opened = v.InferOutput<typeof openedSchema>

const partsSchema = v.array(v.union([v.string(), partSchema]))

/** Text of a message's or a result's parts; a picture is named, never forwarded. */
export function partsText(content: unknown): string {
	const parsed = v.safeParse(partsSchema, content)
	if (!parsed.success) return typeof content === 'string' ? content : ''
	return parsed.output
		.map((part) => {
			if (typeof part === 'string') return part
			return part.text ?? (part.type === null ? '' : `[${part.type.slice(0, 40)}]`)
		})
		.join('\n')
}
