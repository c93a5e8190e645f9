/** What an MCP server asks through Codex: whether a tool of it may run, or a form to fill in. */
import * as v from 'valibot'
import { list } from '../lenient.ts'
import { formFields } from './form.ts'
import { type Known, name, optionalText, type Understood, understood } from './understood.ts'

const elicitationSchema = v.object({
	threadId: name,
	turnId: optionalText,
	serverName: name,
	mode: v.literal('form'),
	message: v.string(),
	requestedSchema: v.unknown(),
	_meta: v.optional(v.unknown(), null),
})
const toolMetaSchema = v.object({
	codex_approval_kind: v.literal('mcp_tool_call'),
	tool_name: name,
	tool_description: optionalText,
	tool_params: v.optional(v.unknown(), null),
	persist: list(v.string()),
})

export function elicitation(params: unknown, known: Known): Understood | null {
	const parsed = v.safeParse(elicitationSchema, params)
	if (!parsed.success) return null
	const { serverName, message, requestedSchema, _meta, threadId, turnId } = parsed.output
	const fields = formFields(requestedSchema)
	if (fields === null) return null
	const meta = v.safeParse(toolMetaSchema, _meta)
	if (meta.success) {
		// A tool call has nothing to fill in.
		if (fields.length > 0) return null
		const { tool_name, tool_params, tool_description, persist } = meta.output
		const tool = `mcp__${serverName}__${tool_name}`
		return understood(
			{ threadId, turnId, itemId: known.toolCall(serverName, tool_name) },
			{ kind: 'tool' },
			{
				tool,
				input: tool_params,
				description: tool_description,
				cwd: known.cwd,
				reason: message,
				session_rules: persist.includes('session') ? [{ tool, rule: null }] : [],
			},
		)
	}
	if (fields.length === 0) return null
	const shown = fields.map(({ question, header, options, multiple }) => ({
		question,
		header,
		options: options.map((label) => ({ label, description: null })),
		multiple,
		...(options.length > 0 ? { other: false } : {}),
	}))
	return understood(
		{ threadId, turnId, itemId: null },
		{ kind: 'form', fields },
		{
			tool: `mcp__${serverName}`,
			input: { questions: shown },
			description: message,
			cwd: known.cwd,
			questions: shown,
		},
	)
}
