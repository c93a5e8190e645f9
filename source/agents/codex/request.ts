/**
 * What Codex asks: what a person is shown of it, and what Codex is answered. Parsed strictly: a request that
 * is not understood is never shown as one that can be approved.
 */
import * as v from 'valibot'
import type { Body, FileChange, SessionRule } from '../../protocol/events.ts'
import type { AgentAnswer } from '../agent.ts'
import { tooDeep } from '../foreign.ts'
import { fileChanges } from './changes.ts'
import { shownCommand } from './command-words.ts'
import { type FormField, formContent, formFields } from './form.ts'
import type { RawChange } from './schema.ts'

export type Ask = Omit<Body<'permission_request'>, 'request' | 'expires_at'>

/** How an answer is put, by the kind of the request. */
export type AnswerForm =
	| { kind: 'command' | 'files' }
	| { kind: 'permissions'; permissions: object }
	| { kind: 'questions'; ids: { id: string; question: string }[] }
	| { kind: 'tool' }
	| { kind: 'form'; fields: FormField[] }

export interface Understood {
	thread: string
	turn: string | null
	item: string | null
	form: AnswerForm
	ask: Ask
}

/** What else is known, for the requests that only name an item. */
export interface Known {
	cwd: string | null
	/** Changes of a file item, as it was announced. */
	changesOf(item: string): readonly RawChange[] | null
	/** The running call of a tool of an MCP server. */
	toolCall(server: string, tool: string): string | null
}

const maybeText = v.optional(v.nullable(v.string()), null)
const name = v.pipe(v.string(), v.nonEmpty())
const place = { threadId: name, turnId: name, itemId: name }

const commandSchema = v.object({
	...place,
	kind: v.optional(v.picklist(['command', 'humanCommand', 'writeStdin']), 'command'),
	reason: maybeText,
	command: name,
	cwd: maybeText,
	networkApprovalContext: v.optional(v.nullable(v.object({ host: name, protocol: name })), null),
})
const filesSchema = v.object({ ...place, reason: maybeText, grantRoot: maybeText })

/** Exactly these fields: what is granted is what was shown, and nothing that a newer version adds. */
const paths = v.optional(v.nullable(v.array(v.string())), null)
const permissionsSchema = v.strictObject({
	network: v.optional(
		v.nullable(v.strictObject({ enabled: v.optional(v.nullable(v.boolean())) })),
		null,
	),
	fileSystem: v.optional(
		v.nullable(
			v.strictObject({
				read: paths,
				write: paths,
				globScanMaxDepth: v.optional(v.pipe(v.number(), v.integer())),
				entries: v.optional(
					v.array(
						v.strictObject({
							path: v.strictObject({ type: v.literal('path'), path: name }),
							access: v.picklist(['read', 'write', 'deny']),
						}),
					),
				),
			}),
		),
		null,
	),
})
const permissionsRequestSchema = v.object({
	...place,
	cwd: maybeText,
	reason: maybeText,
	permissions: permissionsSchema,
})

const questionsSchema = v.object({
	...place,
	questions: v.pipe(
		v.array(
			v.object({
				id: name,
				header: maybeText,
				question: name,
				isSecret: v.optional(v.boolean(), false),
				options: v.optional(
					v.nullable(v.array(v.object({ label: v.string(), description: maybeText }))),
					null,
				),
			}),
		),
		v.minLength(1),
	),
})

const elicitationSchema = v.object({
	threadId: name,
	turnId: maybeText,
	serverName: name,
	mode: v.literal('form'),
	message: v.string(),
	requestedSchema: v.unknown(),
	_meta: v.optional(v.unknown(), null),
})
const toolMetaSchema = v.object({
	codex_approval_kind: v.literal('mcp_tool_call'),
	tool_name: name,
	tool_description: maybeText,
	tool_params: v.optional(v.unknown(), null),
	persist: v.optional(v.fallback(v.array(v.string()), []), []),
})

/** `null`: not understood, not to be allowed by us. */
export function understand(method: string, params: unknown, known: Known): Understood | null {
	if (tooDeep(params)) return null
	switch (method) {
		case 'item/commandExecution/requestApproval':
			return command(params, known)
		case 'item/fileChange/requestApproval':
			return files(params, known)
		case 'item/permissions/requestApproval':
			return permissions(params, known)
		case 'item/tool/requestUserInput':
			return questions(params, known)
		case 'mcpServer/elicitation/request':
			return elicitation(params, known)
		default:
			return null
	}
}

function command(params: unknown, known: Known): Understood | null {
	const parsed = v.safeParse(commandSchema, params)
	if (!parsed.success) return null
	const { kind, command: line, cwd, reason, networkApprovalContext: network } = parsed.output
	const shown = shownCommand(line)
	const tool = kind === 'writeStdin' ? 'write_stdin' : 'exec_command'
	// Only these two are kept by Codex for the session as they are shown.
	const rules: SessionRule[] =
		kind !== 'command'
			? []
			: network !== null
				? [{ tool: 'network', rule: network.host }]
				: [{ tool, rule: line }]
	const input = network === null ? { command: shown } : { command: shown, network }
	return understood(
		parsed.output,
		{ kind: 'command' },
		{
			tool,
			input,
			cwd: cwd ?? known.cwd,
			reason,
			session_rules: rules,
		},
	)
}

function files(params: unknown, known: Known): Understood | null {
	const parsed = v.safeParse(filesSchema, params)
	if (!parsed.success) return null
	const { itemId, reason, grantRoot } = parsed.output
	const changes = known.changesOf(itemId)
	// Nothing is approved that was not seen.
	if (changes === null || changes.length === 0) return null
	const touched = changes.flatMap(({ path, kind }) =>
		kind.move_path === null ? [path] : [path, kind.move_path],
	)
	const rules =
		grantRoot === null ? touched.map((path) => ({ tool: 'apply_patch', rule: path })) : []
	return understood(
		parsed.output,
		{ kind: 'files' },
		{
			tool: 'apply_patch',
			input: { paths: touched, ...(grantRoot === null ? {} : { grant_root: grantRoot }) },
			cwd: known.cwd,
			reason,
			session_rules: rules,
			changes: fileChanges(changes),
		},
	)
}

function permissions(params: unknown, known: Known): Understood | null {
	const parsed = v.safeParse(permissionsRequestSchema, params)
	if (!parsed.success) return null
	const { permissions: asked, cwd, reason } = parsed.output
	const { network, fileSystem } = asked
	const rules: SessionRule[] = []
	const add = (rule: string) => {
		if (!rules.some((one) => one.rule === rule)) rules.push({ tool: 'request_permissions', rule })
	}
	if (network?.enabled === true) add('network')
	for (const path of fileSystem?.read ?? []) add(`read ${path}`)
	for (const path of fileSystem?.write ?? []) add(`write ${path}`)
	for (const { path, access } of fileSystem?.entries ?? []) add(`${access} ${path.path}`)
	if (rules.length === 0) return null
	const granted = {
		...(network === null ? {} : { network }),
		...(fileSystem === null ? {} : { fileSystem }),
	}
	return understood(
		parsed.output,
		{ kind: 'permissions', permissions: granted },
		{
			tool: 'request_permissions',
			input: granted,
			cwd: cwd ?? known.cwd,
			reason,
			session_rules: rules,
		},
	)
}

function questions(params: unknown, known: Known): Understood | null {
	const parsed = v.safeParse(questionsSchema, params)
	if (!parsed.success) return null
	const asked = parsed.output.questions
	// A secret would be kept in the session for good.
	if (asked.some(({ isSecret }) => isSecret)) return null
	const ids = asked.map(({ id, question }) => ({ id, question }))
	if (new Set(ids.map(({ question }) => question)).size < ids.length) return null
	const shown = asked.map(({ question, header, options }) => ({
		question,
		header,
		options: options ?? [],
		multiple: false,
	}))
	return understood(
		parsed.output,
		{ kind: 'questions', ids },
		{
			tool: 'request_user_input',
			input: { questions: shown },
			cwd: known.cwd,
			questions: shown,
		},
	)
}

function elicitation(params: unknown, known: Known): Understood | null {
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

function understood(
	{ threadId, turnId, itemId }: { threadId: string; turnId: string | null; itemId: string | null },
	form: AnswerForm,
	ask: Partial<Ask> & Pick<Ask, 'tool' | 'cwd'>,
): Understood {
	const changes: FileChange[] = []
	const rest = { description: null, reason: null, session_rules: [], questions: null }
	return {
		thread: threadId,
		turn: turnId,
		item: itemId,
		form,
		ask: { tool_use: itemId, input: null, changes, ...rest, ...ask },
	}
}

const answersSchema = v.object({
	answers: v.record(v.string(), v.union([v.string(), v.array(v.string())])),
})

/**
 * The answer in Codex's own form. `null` when it can't be given: a question without its answers, or an
 * input that was changed, which Codex does not take.
 */
export function answerFor({ form, ask }: Understood, answer: AgentAnswer): object | null {
	if (answer.decision === 'deny') return refusal(form)
	const session = answer.scope === 'session' && ask.session_rules.length > 0
	if (form.kind === 'questions' || form.kind === 'form') {
		const parsed = v.safeParse(answersSchema, answer.input)
		if (!parsed.success) return null
		if (form.kind === 'form') {
			const content = formContent(form.fields, parsed.output.answers)
			return content === null ? null : { action: 'accept', content, _meta: null }
		}
		return questionAnswers(form.ids, parsed.output.answers)
	}
	if (answer.input !== undefined) return null
	switch (form.kind) {
		case 'permissions':
			return { permissions: form.permissions, scope: session ? 'session' : 'turn' }
		case 'tool':
			return { action: 'accept', content: {}, _meta: session ? { persist: 'session' } : null }
		default:
			return { decision: session ? 'acceptForSession' : 'accept' }
	}
}

/** No, and the turn goes on. */
export function refusal(form: AnswerForm): object {
	switch (form.kind) {
		case 'permissions':
			return { permissions: {}, scope: 'turn' }
		case 'questions':
			return { answers: {} }
		case 'tool':
		case 'form':
			return { action: 'decline', content: null, _meta: null }
		default:
			return { decision: 'decline' }
	}
}

/** How a request that is not understood is refused; `null`: by an error. */
export function refusalOf(method: string): object | null {
	switch (method) {
		case 'item/commandExecution/requestApproval':
		case 'item/fileChange/requestApproval':
			return { decision: 'decline' }
		case 'item/permissions/requestApproval':
			return { permissions: {}, scope: 'turn' }
		case 'item/tool/requestUserInput':
			return { answers: {} }
		case 'mcpServer/elicitation/request':
			return { action: 'decline', content: null, _meta: null }
		case 'applyPatchApproval':
		case 'execCommandApproval':
			return { decision: 'denied' }
		default:
			return null
	}
}

function questionAnswers(
	ids: readonly { id: string; question: string }[],
	answers: Record<string, string | string[]>,
): object | null {
	const given: [string, { answers: string[] }][] = []
	for (const { id, question } of ids) {
		const answer = Object.hasOwn(answers, question) ? answers[question] : undefined
		if (answer === undefined) return null
		given.push([id, { answers: Array.isArray(answer) ? answer : [answer] }])
	}
	return { answers: Object.fromEntries(given) }
}

const decisionSchema = v.object({ decision: v.optional(v.unknown()), action: maybeText })
const grantSchema = v.object({ permissions: v.record(v.string(), v.unknown()) })
const givenSchema = v.object({ answers: v.record(v.string(), v.unknown()) })

/** What an answer of the agent's own interface means; `cancelled` where it can't be told. */
export function meaningOf(result: unknown): 'approved' | 'denied' | 'cancelled' {
	const grant = v.safeParse(grantSchema, result)
	if (grant.success) {
		const any = Object.values(grant.output.permissions).some((value) => value !== null)
		return any ? 'approved' : 'denied'
	}
	const given = v.safeParse(givenSchema, result)
	if (given.success) return Object.keys(given.output.answers).length > 0 ? 'approved' : 'denied'
	const parsed = v.safeParse(decisionSchema, result)
	if (!parsed.success) return 'cancelled'
	const { decision, action } = parsed.output
	if (action !== null) {
		return action === 'accept' ? 'approved' : action === 'decline' ? 'denied' : 'cancelled'
	}
	if (decision === 'decline' || decision === 'cancel') return 'denied'
	if (decision === 'accept' || decision === 'acceptForSession') return 'approved'
	if (decision !== null && typeof decision === 'object') {
		if ('acceptWithExecpolicyAmendment' in decision) return 'approved'
		if ('applyNetworkPolicyAmendment' in decision) {
			return JSON.stringify(decision).includes('"action":"allow"') ? 'approved' : 'denied'
		}
	}
	return 'cancelled'
}
