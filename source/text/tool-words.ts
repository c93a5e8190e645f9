/** What a tool call is about, in words of ours around the agent's own. */
import type { FileChange } from '../protocol/events.ts'
import { oneLine } from './one-line.ts'
import { joinText, noText, type SafeText, safeText } from './safe-text.ts'
import { type Span, span } from './styled.ts'
import { asInput, commandOf, pathOf, pathsOf, subjectOf, textOf, urlOf } from './tool-input.ts'
import { linesRead, serverTool, type ToolKind, toolKind } from './tool-kinds.ts'
import { within } from './within.ts'

interface Words {
	/** One column wide; never the only thing that tells a kind from another. */
	sign: SafeText
	/** What a call does; `null`: its sign and its subject say it. */
	does: SafeText | null
	/** What a request for it wants. */
	wants: SafeText
}

const words: Readonly<Record<Exclude<ToolKind, 'server' | 'other'>, Words>> = {
	command: { sign: safeText`$`, does: null, wants: safeText`run a command` },
	terminal: {
		sign: safeText`$`,
		does: safeText`running command`,
		wants: safeText`go on with a running command`,
	},
	read: { sign: safeText`≡`, does: safeText`read`, wants: safeText`read a file` },
	search: { sign: safeText`⌕`, does: safeText`search`, wants: safeText`search in files` },
	find: { sign: safeText`⌕`, does: safeText`find files`, wants: safeText`find files` },
	list: { sign: safeText`≡`, does: safeText`list`, wants: safeText`list a folder` },
	edit: { sign: safeText`✎`, does: safeText`edit`, wants: safeText`change a file` },
	fetch: { sign: safeText`↗`, does: safeText`fetch`, wants: safeText`fetch a page` },
	websearch: { sign: safeText`↗`, does: safeText`search the web`, wants: safeText`search the web` },
	task: { sign: safeText`↳`, does: safeText`sub-agent`, wants: safeText`start a sub-agent` },
	plan: { sign: safeText`☑`, does: safeText`plan`, wants: safeText`go on with its plan` },
	todo: { sign: safeText`☑`, does: safeText`to-do`, wants: safeText`write its to-do list` },
	question: { sign: safeText`?`, does: safeText`question`, wants: safeText`ask a question` },
	skill: { sign: safeText`⚙`, does: safeText`skill`, wants: safeText`use a skill` },
	memory: { sign: safeText`✎`, does: safeText`remember`, wants: safeText`remember something` },
	image: { sign: safeText`▧`, does: safeText`image`, wants: safeText`work with an image` },
	permission: {
		sign: safeText`⚠`,
		does: safeText`ask for more permissions`,
		wants: safeText`be allowed more`,
	},
	addFile: {
		sign: safeText`+`,
		does: safeText`add a file to the chat`,
		wants: safeText`add a file to its chat`,
	},
	addUrl: {
		sign: safeText`+`,
		does: safeText`add a page to the chat`,
		wants: safeText`add a web page to its chat`,
	},
	addOutput: {
		sign: safeText`+`,
		does: safeText`add output to the chat`,
		wants: safeText`add the command’s output to its chat`,
	},
	fixErrors: {
		sign: safeText`✎`,
		does: safeText`fix errors`,
		wants: safeText`try to fix lint or test errors`,
	},
}

/** UTF-16 units of a subject that are looked at: more never fits into a line. */
const longest = 2000

/** What a request wants, in a few words of ours; the tool's own name stands behind them. */
export function wantsText(request: {
	tool: string
	input: unknown
	changes: readonly FileChange[]
	questions: unknown
}): SafeText {
	const tool = oneLine(request.tool)
	if (request.questions !== null) return safeText`asks a question (${tool})`
	const { length } = request.changes
	if (length === 1) return safeText`wants to change a file (${tool})`
	if (length > 1) return safeText`wants to change ${length} files (${tool})`
	const kind = toolKind(request.tool, request.input)
	const server = serverTool(request.tool)
	if (kind === 'server' && server)
		return safeText`wants to use ${oneLine(server.tool)} of the server ${oneLine(server.server)} (${tool})`
	if (kind === 'server' || kind === 'other') return safeText`wants to use ${tool}`
	return safeText`wants to ${words[kind].wants} (${tool})`
}

/** A call in one line: its sign, what it does, and what it is about. */
export function callSpans(call: { name: string; input: unknown }, cwd: string | null): Span[] {
	const kind = toolKind(call.name, call.input)
	if (kind === 'server' || kind === 'other') return otherSpans(call, cwd)
	const { sign, does } = words[kind]
	const head = does === null ? safeText`${sign} ` : safeText`${sign} ${does} `
	return [span(head, 'accent'), ...subjectSpans(kind, call.input, cwd)]
}

function otherSpans({ name, input }: { name: string; input: unknown }, cwd: string | null): Span[] {
	const server = serverTool(name)
	const brief = span(briefInput(input, cwd), 'dim')
	if (!server) return [span(safeText`⚙ ${oneLine(name)} `, 'accent'), brief]
	return [
		span(safeText`⚙ ${oneLine(server.tool)} `, 'accent'),
		brief,
		span(safeText`  server ${oneLine(server.server)}`, 'dim'),
	]
}

function subjectSpans(kind: ToolKind, value: unknown, cwd: string | null): Span[] {
	const input = asInput(value)
	const code = (raw: string | null) =>
		raw === null ? [] : [span(oneLine(raw.slice(0, longest)), 'code')]
	const dim = (raw: string | null, before = safeText`  `) =>
		raw === null || raw === ''
			? []
			: [span(safeText`${before}${oneLine(raw.slice(0, longest))}`, 'dim')]
	const inside = (raw: string | null) => (raw === null ? null : within(raw, cwd))
	switch (kind) {
		case 'command':
			return code(commandOf(value))
		case 'terminal':
			return code(textOf(input, 'bash_id', 'shell_id', 'task_id') ?? textOf(input, 'chars'))
		case 'read':
			return [...code(pathText(value, cwd)), ...lineSpans(linesRead(value))]
		case 'search':
		case 'find': {
			const place = inside(pathOf(value))
			const pattern = textOf(input, 'pattern', 'query') ?? subjectOf(value)
			return [
				...code(pattern),
				...dim(textOf(input, 'glob', 'include', 'type')),
				...dim(place === cwd ? null : place, safeText`  in `),
			]
		}
		case 'list':
		case 'edit':
		case 'image':
		case 'addFile':
			return code(pathText(value, cwd) ?? textOf(input, 'title'))
		case 'fetch':
		case 'addUrl':
			return [
				...code(urlOf(value) ?? textOf(input, 'prompt')),
				...(urlOf(value) === null ? [] : dim(textOf(input, 'prompt'))),
			]
		case 'websearch':
			return code(textOf(input, 'query', 'title'))
		case 'task':
			return [
				...code(textOf(input, 'description', 'agent', 'task_name', 'prompt', 'message', 'title')),
				...dim(textOf(input, 'subagent_type', 'agent_type')),
			]
		case 'memory':
			return code(textOf(input, 'fact'))
		case 'skill':
			return [...code(textOf(input, 'skill', 'name', 'command')), ...dim(textOf(input, 'args'))]
		case 'todo':
			return Array.isArray(input.todos ?? input.plan) ? [] : [span(briefInput(value, null), 'dim')]
		default:
			return dim(subjectOf(value), noText)
	}
}

function lineSpans(lines: string | null): Span[] {
	return lines === null ? [] : [span(safeText`  lines ${oneLine(lines)}`, 'dim')]
}

/** The files of a call without the session's folder before them. */
function pathText(value: unknown, cwd: string | null): string | null {
	const { paths } = asInput(value)
	const listed = Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : []
	const named = [...new Set([...pathsOf(value), ...listed])]
	return named.length === 0 ? null : named.map((path) => within(path, cwd)).join(', ')
}

/** The first few plain values of an input, which is what tells calls apart. */
function briefInput(input: unknown, cwd: string | null): SafeText {
	if (typeof input !== 'object' || input === null) return oneLine(String(input ?? ''))
	const values = Object.values(input).filter((value) => typeof value === 'string')
	return joinText(
		values.slice(0, 3).map((value) => oneLine(within(value.slice(0, 200), cwd))),
		safeText` · `,
	)
}
