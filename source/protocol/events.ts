/**
 * Session events: the bodies of messages, the same for every agent (docs/protocol.md, section 5.5).
 * A body is checked against its schema when it is made and again after it was decrypted.
 */
import * as v from 'valibot'
import { isoTime, uuid } from './json.ts'

export {
	type AgentName,
	agentNames,
	type RequestStatus,
	requestStatuses,
	type SessionStatus,
	sessionStatuses,
} from './names.ts'

const text = v.string()
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const nullable = <T extends v.GenericSchema>(schema: T) => v.nullable(schema)

/** What an agent was given to work on: JSON of any shape, shown but never interpreted as text. */
const json = v.unknown()

/** One hunk of a file change. Lines carry their prefix: ' ', '+' or '-'. Line numbers start at 1. */
export const hunkSchema = v.object({
	old_start: count,
	old_lines: count,
	new_start: count,
	new_lines: count,
	lines: v.array(text),
})

export const fileChangeSchema = v.object({
	path: text,
	/** `null` where the agent gave only the new content. */
	hunks: v.array(hunkSchema),
})

/** A rule that "allow for this session" would add. Exactly what the person is shown is what is sent. */
export const ruleSchema = v.object({ tool: text, rule: nullable(text) })

export const questionSchema = v.object({
	question: text,
	header: nullable(text),
	options: v.array(v.object({ label: text, description: nullable(text) })),
	multiple: v.boolean(),
	/** Whether an answer in the person's own words is taken; absent: it is. */
	other: v.optional(v.boolean()),
})

export const eventSchemas = {
	user_prompt: v.object({ text, source: v.picklist(['agent', 'viewer']) }),
	/** `block` is the id that unstored text frames of the same block carried. */
	agent_response: v.object({
		text,
		block: nullable(text),
		model: nullable(text),
		parent: nullable(text),
	}),
	agent_thinking: v.object({ text, block: nullable(text), parent: nullable(text) }),
	tool_use: v.object({
		tool_use: text,
		name: text,
		input: json,
		/** The tool call (of a sub-agent) that this one belongs to. */
		parent: nullable(text),
	}),
	tool_result: v.object({
		tool_use: text,
		ok: v.boolean(),
		text,
		exit_code: nullable(v.number()),
		duration_ms: nullable(v.number()),
		changes: v.array(fileChangeSchema),
		parent: nullable(text),
	}),
	permission_request: v.object({
		request: uuid,
		tool: text,
		tool_use: nullable(text),
		input: json,
		/** The agent's own words for it, if it gave any. */
		description: nullable(text),
		cwd: nullable(text),
		reason: nullable(text),
		changes: v.array(fileChangeSchema),
		/** What "allow for this session" would mean; empty: not offered. */
		session_rules: v.array(ruleSchema),
		/** Set when the agent asks the person a question instead of a permission. */
		questions: nullable(v.array(questionSchema)),
		/** The agent takes a changed input in the place of the one it asked for; absent: it does not. */
		editable: v.optional(v.boolean()),
		expires_at: isoTime,
	}),
	permission_response: v.object({
		request: uuid,
		result: v.picklist(['approved', 'denied', 'expired', 'cancelled']),
		/**
		 * `device`: a signed decision; `agent`: answered in the agent's own interface; `host`: expiry or exit;
		 * `policy`: a rule of the host's own file, which `reason` names.
		 */
		by: v.picklist(['device', 'agent', 'host', 'policy']),
		device: nullable(text),
		scope: nullable(v.picklist(['once', 'session'])),
		reason: nullable(text),
		/** The signed command that decided (base64), so that every device can check who did. */
		command: nullable(v.object({ bytes: text, signature: text })),
	}),
	/** Token counts of one model response. USD; `cost_source` says where the figure is from. */
	usage: v.object({
		message: nullable(text),
		model: nullable(text),
		input: count,
		output: count,
		cache_read: count,
		cache_write: count,
		cost_usd: nullable(v.number()),
		cost_source: v.picklist(['agent', 'price-table', 'none']),
	}),
	status: v.object({
		status: v.picklist(['starting', 'running', 'idle', 'stopped', 'error']),
		detail: nullable(text),
		/** Set when the agent went on after a decision: the stage "applied" of that request. */
		applied: nullable(text),
	}),
	error: v.object({ code: text, text }),
	/**
	 * Everything else worth keeping: `notice` (ours, such as an attack notice), `mode` (permission mode
	 * of the agent), `policy` (which rules the host answers by), or an agent's line of a type that we do not know, kept under its type name.
	 */
	system: v.object({ type: text, text: nullable(text), data: json }),
} as const

export type Kind = keyof typeof eventSchemas
export const kinds = Object.keys(eventSchemas) as Kind[]
export type Body<K extends Kind = Kind> = v.InferOutput<(typeof eventSchemas)[K]>
export type SessionEvent = { [K in Kind]: { kind: K; body: Body<K> } }[Kind]
export type FileChange = v.InferOutput<typeof fileChangeSchema>
export type Hunk = v.InferOutput<typeof hunkSchema>
export type SessionRule = v.InferOutput<typeof ruleSchema>
export type Question = v.InferOutput<typeof questionSchema>
