/**
 * What agents' tools do, by their names: one table for all agents, so that the same act is shown in the
 * same words whoever does it. A name that is not in it is shown as it is.
 */
import { asInput, commandOf, type Input } from './tool-input.ts'

export type ToolKind =
	| 'command'
	| 'terminal'
	| 'read'
	| 'search'
	| 'find'
	| 'list'
	| 'edit'
	| 'fetch'
	| 'websearch'
	| 'server'
	| 'task'
	| 'plan'
	| 'todo'
	| 'question'
	| 'skill'
	| 'memory'
	| 'image'
	| 'permission'
	| 'addFile'
	| 'addUrl'
	| 'addOutput'
	| 'fixErrors'
	| 'other'

/** Names in lower case without `_` and `-`: agents differ in nothing but that. */
const names: Readonly<Record<Exclude<ToolKind, 'server' | 'other'>, readonly string[]>> = {
	command: ['bash', 'shell', 'localshell', 'execcommand', 'runshellcommand', 'powershell'],
	terminal: ['bashoutput', 'killshell', 'killbash', 'writestdin', 'taskoutput', 'taskstop'],
	read: ['read', 'readfile', 'readmanyfiles', 'notebookread', 'viewfile'],
	search: ['grep', 'grepsearch', 'searchfilecontent', 'codesearch', 'lsp'],
	find: ['glob', 'findfiles'],
	list: ['ls', 'list', 'listdirectory', 'listdir'],
	edit: [
		...['edit', 'multiedit', 'write', 'writefile', 'replace', 'patch', 'applypatch'],
		...['notebookedit', 'strreplace', 'createfile'],
	],
	fetch: ['webfetch', 'fetch'],
	websearch: ['websearch', 'googlewebsearch'],
	task: ['task', 'agent', 'spawnagent', 'codebaseinvestigator', 'invokeagent', 'subagent'],
	plan: ['exitplanmode', 'planexit', 'enterplanmode', 'planenter'],
	todo: [
		...['todowrite', 'todoread', 'writetodos', 'updateplan'],
		...['taskcreate', 'taskupdate', 'tasklist', 'taskget'],
	],
	question: ['askuserquestion', 'question', 'requestuserinput', 'askuser'],
	skill: ['skill', 'slashcommand', 'activateskill'],
	memory: ['savememory'],
	image: ['viewimage', 'imagegeneration'],
	permission: ['requestpermissions'],
	addFile: ['addfile'],
	addUrl: ['addurl'],
	addOutput: ['addoutput'],
	fixErrors: ['fixerrors'],
}

const kinds = new Map<string, ToolKind>()
for (const [kind, all] of Object.entries(names)) {
	// Keys of the table above.
	for (const name of all) kinds.set(name, kind as keyof typeof names)
}

/** A tool of an MCP server: `mcp__server__tool`, in Gemini CLI `mcp_server_tool`. */
export function serverTool(name: string): { server: string; tool: string } | null {
	const match = /^mcp__(.+?)__(.+)$/s.exec(name) ?? /^mcp_([^_]+)_(.+)$/s.exec(name)
	return match?.[1] && match[2] ? { server: match[1], tool: match[2] } : null
}

/** What a call does. Whatever has a command runs it, whatever the tool's name. */
export function toolKind(name: string, input: unknown): ToolKind {
	const kind = serverTool(name)
		? 'server'
		: (kinds.get(name.toLowerCase().replaceAll(/[_-]/g, '')) ?? 'other')
	// The command of these two is a prompt's: nothing that a shell is given.
	if (kind === 'task' || kind === 'skill') return kind
	return commandOf(input) === null ? kind : 'command'
}

/** Whole numbers of an input by any of their names. */
export function numberOf(input: Input, ...keys: readonly string[]): number | null {
	for (const key of keys) {
		const value = input[key]
		if (typeof value === 'number' && Number.isSafeInteger(value)) return value
	}
	return null
}

/** The lines of a file that a call reads: `from 40`, `40–99`; `null`: all of it. */
export function linesRead(value: unknown): string | null {
	const input = asInput(value)
	const from = numberOf(input, 'offset', 'start_line', 'startLine')
	const count = numberOf(input, 'limit', 'max_lines')
	const to =
		numberOf(input, 'end_line', 'endLine') ?? (count === null ? null : (from ?? 1) + count - 1)
	if (from === null && to === null) return null
	return to === null ? `from ${from}` : `${from ?? 1}–${to}`
}
