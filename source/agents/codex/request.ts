/**
 * What Codex asks: what a person is shown of it. Parsed strictly: a request that is not understood is never
 * shown as one that can be approved.
 */
import * as v from 'valibot'
import type { SessionRule } from '../../protocol/events.ts'
import { tooDeep } from '../foreign.ts'
import { fileChanges } from './changes.ts'
import { shownCommand } from './command-words.ts'
import { elicitation } from './elicitation.ts'
import { type Known, name, optionalText, type Understood, understood } from './understood.ts'

const place = { threadId: name, turnId: name, itemId: name }

const commandSchema = v.object({
	...place,
	kind: v.optional(v.picklist(['command', 'humanCommand', 'writeStdin']), 'command'),
	reason: optionalText,
	command: name,
	cwd: optionalText,
	networkApprovalContext: v.optional(v.nullable(v.object({ host: name, protocol: name })), null),
})
const filesSchema = v.object({ ...place, reason: optionalText, grantRoot: optionalText })

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
	cwd: optionalText,
	reason: optionalText,
	permissions: permissionsSchema,
})

const questionsSchema = v.object({
	...place,
	questions: v.pipe(
		v.array(
			v.object({
				id: name,
				header: optionalText,
				question: name,
				isSecret: v.optional(v.boolean(), false),
				options: v.optional(
					v.nullable(v.array(v.object({ label: v.string(), description: optionalText }))),
					null,
				),
			}),
		),
		v.minLength(1),
	),
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
