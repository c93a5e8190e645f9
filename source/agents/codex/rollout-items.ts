/** Items as a rollout has them → items as the app-server tells them, so that both become the same events. */
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { type RolloutItem, rolloutItemSchema } from './rollout-schema.ts'
import { itemSchema, partsText, type RawChange, type RawItem } from './schema.ts'

/** `null` for what is no item. */
export function rolloutItem(value: unknown): RawItem | null {
	const parsed = v.safeParse(rolloutItemSchema, value)
	if (!parsed.success) return null
	const item = parsed.output
	const { command, duration, changes } = item
	const said = item.text ?? partsText(item.content)
	const like = {
		type: `${item.type.slice(0, 1).toLowerCase()}${item.type.slice(1)}`,
		id: item.id,
		text: said === '' ? null : said,
		content: item.type === 'Reasoning' ? item.raw_content : item.content,
		summary: item.summary_text,
		command: command === null ? null : command.map(quoted).join(' '),
		cwd: item.cwd === null ? null : pathOf(item.cwd),
		status: item.status,
		aggregatedOutput: item.aggregated_output,
		exitCode: item.exit_code,
		durationMs: duration === null ? null : milliseconds(duration),
		changes: changes === null ? null : Object.entries(changes).map(changeOf),
		server: item.server,
		tool: item.tool,
		arguments: item.arguments,
		result: item.result,
		error: errorOf(item.error),
		query: item.query,
		path: item.path,
		review: item.review,
		prompt: item.prompt,
		kind: item.kind,
		agentPath: item.agent_path,
	}
	const made = v.safeParse(itemSchema, like)
	return made.success ? made.output : null
}

const endSchema = v.looseObject({
	type: v.string(),
	call_id: v.string(),
	success: v.optional(v.unknown()),
	invocation: v.optional(v.looseObject({})),
	result: v.optional(v.unknown()),
})
const resultSchema = v.object({
	Ok: v.optional(v.unknown(), null),
	Err: v.optional(v.unknown(), null),
})
const types = new Map([
	['exec_command_end', 'CommandExecution'],
	['mcp_tool_call_end', 'McpToolCall'],
	['patch_apply_end', 'FileChange'],
	['web_search_end', 'WebSearch'],
])

/** The item that the end of a call tells of, in histories without items; `null` for what is no such end. */
export function endedItem(payload: unknown): RawItem | null {
	const parsed = v.safeParse(endSchema, payload)
	const type = parsed.success ? types.get(parsed.output.type) : undefined
	if (!parsed.success || type === undefined) return null
	const { call_id, success, invocation, result, ...rest } = parsed.output
	const both = v.safeParse(resultSchema, result)
	const { Ok, Err } = both.success ? both.output : { Ok: null, Err: null }
	const status = success === false ? 'failed' : 'completed'
	return rolloutItem({ status, ...rest, ...invocation, type, id: call_id, result: Ok, error: Err })
}

function changeOf([path, change]: [
	string,
	NonNullable<RolloutItem['changes']>[string],
]): RawChange {
	const { type, content, unified_diff, move_path } = change
	return { path, kind: { type, move_path }, diff: unified_diff ?? content ?? '' }
}

/** As Codex puts an argument into a line; read again by `commandWords`. */
function quoted(word: string): string {
	return `'${word.replaceAll("'", "'\\''")}'`
}

function pathOf(cwd: string): string {
	if (!cwd.startsWith('file:')) return cwd
	try {
		return fileURLToPath(cwd)
	} catch {
		return cwd
	}
}

function milliseconds({ secs, nanos }: { secs: number | null; nanos: number | null }): number {
	return (secs ?? 0) * 1000 + Math.round((nanos ?? 0) / 1e6)
}

function errorOf(error: unknown): { message: string } | null {
	if (typeof error === 'string') return { message: error }
	const parsed = v.safeParse(v.object({ message: v.string() }), error)
	return parsed.success ? parsed.output : null
}
