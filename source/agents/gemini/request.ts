/** What Gemini CLI asks over ACP: what a person is shown of it, and the answer in its own form. */
import type { FileChange, SessionRule } from '../../protocol/events.ts'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import type { AskedPermission, RawTool } from './acp-schema.ts'
import { commandPrograms } from './programs.ts'
import { fileChange } from './tool-results.ts'

type Ask = Extract<AgentOutput, { type: 'request' }>['ask']

/** Tools that "allow for this session" at an edit is for: Gemini CLI then approves all edits. */
const editTools = ['replace', 'write_file']

/** What is kept of an open request, to answer it. */
export interface OpenRequest {
	tool: string
	toolUse: string
	once: string | null
	/** The option that holds for this session, and nothing longer. */
	session: string | null
	edits: boolean
}

/** A tool's name is the start of the id of its call: `name__name_1795625897221_0`. */
export function toolName(call: Pick<RawTool, 'toolCallId' | 'kind'>): string {
	const name = /^(.+?)__\1_\d/.exec(call.toolCallId)?.[1] ?? /^(.+?)__/.exec(call.toolCallId)?.[1]
	if (name !== undefined && /^[\w.-]{1,100}$/.test(name)) return name
	return call.kind === 'execute' ? 'run_shell_command' : (call.kind ?? 'unknown')
}

/** The input of a call as far as ACP tells it: the command, the file, else the agent's title for it. */
export function toolInput(call: Omit<RawTool, 'status'>): Record<string, unknown> {
	const name = toolName(call)
	if (name === 'run_shell_command') return { command: call.title ?? '' }
	const path = call.content.find((item) => item.type === 'diff')?.path ?? call.locations[0]?.path
	return {
		...(path === undefined ? {} : { file_path: path }),
		...(call.title === null ? {} : { title: call.title }),
	}
}

export function changesIn(content: RawTool['content']): FileChange[] {
	return content.flatMap((item) =>
		item.type === 'diff' ? fileChange(item.path, item.oldText, item.newText) : [],
	)
}

export function textIn(content: RawTool['content']): string {
	return content.flatMap((item) => (item.type === 'content' ? [item.content.text] : [])).join('\n')
}

/**
 * `null` when it can't be denied by one of its options. Of those that allow, only the one for this once and
 * the one for this session are taken: others are for all sessions, or for all tools of a server.
 */
export function openRequest({ options, toolCall }: AskedPermission): OpenRequest | null {
	const tool = toolName(toolCall)
	const option = (kind: string, ...ids: string[]) =>
		options.find(({ optionId, kind: is }) => is === kind && ids.includes(optionId))?.optionId ??
		null
	if (!options.some(({ kind }) => kind === 'reject_once')) return null
	return {
		tool,
		toolUse: toolCall.toolCallId,
		once: option('allow_once', 'proceed_once'),
		session: option('allow_always', 'proceed_always', 'proceed_always_tool'),
		edits: editTools.includes(tool),
	}
}

/** What "allow for this session" would allow; empty where that is not offered, or can't be said. */
export function sessionRules(
	{ tool, session }: Pick<OpenRequest, 'tool' | 'session'>,
	input: Record<string, unknown>,
): SessionRule[] {
	if (session === null) return []
	if (editTools.includes(tool)) return editTools.map((name) => ({ tool: name, rule: null }))
	if (tool !== 'run_shell_command') return [{ tool, rule: null }]
	const programs = typeof input.command === 'string' ? commandPrograms(input.command) : []
	return programs.map((program) => ({ tool, rule: `${program} *` }))
}

export function permissionAsk(asked: AskedPermission, open: OpenRequest, cwd: string): Ask {
	const { toolCall } = asked
	const input = toolInput(toolCall)
	const description = textIn(toolCall.content)
	return {
		tool: open.tool,
		tool_use: open.toolUse,
		input,
		description: description === '' ? null : description,
		cwd,
		reason: null,
		changes: changesIn(toolCall.content),
		session_rules: sessionRules(open, input),
		questions: null,
	}
}

/**
 * The answer as Gemini CLI takes it. A denial names no option of its list but the reason: it knows no other
 * way to the model, and an option that is not in the list fails the call with its text.
 */
export function outcomeOf(
	open: OpenRequest,
	answer: AgentAnswer,
	rules: readonly SessionRule[],
): { optionId: string; approved: boolean; taken: boolean } {
	if (answer.decision === 'deny') {
		return { optionId: denial(answer.reason), approved: false, taken: true }
	}
	const option = answer.scope === 'session' && rules.length > 0 ? open.session : open.once
	if (answer.input !== undefined || option === null) {
		return { optionId: denial(otherForm), approved: false, taken: false }
	}
	return { optionId: option, approved: true, taken: true }
}

const otherForm = 'the answer was none that Gemini CLI takes'

/** Can not be the name of an option: none has a space. */
export function denial(reason: string): string {
	return `Denied by the user: ${reason}`
}
