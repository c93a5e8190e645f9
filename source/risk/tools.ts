/** Assesses tools that are no shell: by what they are known to do, and by the paths they name. */
import { type Input, pathsOf, urlOf } from '../text/tool-input.ts'
import { assessWrite } from './command.ts'
import type { Findings } from './findings.ts'
import { isSecret, whereIs } from './paths.ts'

export interface ToolCall {
	tool: string
	input: Input
	cwd: string | null
	/** Its input holds a shell command, which is assessed elsewhere. */
	command: boolean
}

export type ToolKind = 'shell' | 'read' | 'write' | 'network' | 'agent' | 'plan' | 'ask'

/** Names that agents give their tools, in small letters without `_` and `-`. */
const kinds: Readonly<Record<string, ToolKind>> = {
	bash: 'shell',
	shell: 'shell',
	shelltool: 'shell',
	localshell: 'shell',
	exec: 'shell',
	execcommand: 'shell',
	runshellcommand: 'shell',
	runcommand: 'shell',
	killshell: 'read',
	bashoutput: 'read',
	read: 'read',
	readfile: 'read',
	readmanyfiles: 'read',
	notebookread: 'read',
	view: 'read',
	viewimage: 'read',
	grep: 'read',
	searchfilecontent: 'read',
	glob: 'read',
	findfiles: 'read',
	ls: 'read',
	list: 'read',
	listdirectory: 'read',
	todoread: 'read',
	todowrite: 'read',
	updateplan: 'read',
	taskoutput: 'read',
	write: 'write',
	writefile: 'write',
	edit: 'write',
	multiedit: 'write',
	notebookedit: 'write',
	replace: 'write',
	patch: 'write',
	applypatch: 'write',
	createfile: 'write',
	savememory: 'write',
	webfetch: 'network',
	websearch: 'network',
	googlewebsearch: 'network',
	task: 'agent',
	agent: 'agent',
	skill: 'agent',
	exitplanmode: 'plan',
	enterplanmode: 'plan',
	askuserquestion: 'ask',
	askuser: 'ask',
	question: 'ask',
	requestuserinput: 'ask',
}

/** What a tool of that name is known to do; `null` where it is not known. */
export function toolKind(tool: string): ToolKind | null {
	const name = tool.toLowerCase().replaceAll(/[_-]/g, '')
	return Object.hasOwn(kinds, name) ? (kinds[name] ?? null) : null
}

const readReasons = 'only reads'

export function assessTool(findings: Findings, call: ToolCall): void {
	switch (toolKind(call.tool)) {
		case 'shell':
			if (!call.command) findings.add('high', 'asks for a shell command that can not be read')
			return
		case 'read':
			assessRead(findings, call)
			return
		case 'write':
			assessChange(findings, call)
			return
		case 'network':
			assessSecrets(findings, call)
			findings.add('medium', 'uses the network')
			return
		case 'agent':
			findings.add('medium', 'starts an agent of its own')
			return
		case 'plan':
			findings.add('medium', 'changes how the agent goes on')
			return
		case 'ask':
			findings.add('low', 'only asks')
			return
		default:
			assessUnknown(findings, call)
			return
	}
}

/** The files and folders that a tool's input names. */
export function toolPaths(input: Input): string[] {
	const many = Object.values(input).filter((value) => Array.isArray(value))
	const listed = many.flat().filter((value) => typeof value === 'string')
	return [...pathsOf(input), ...listed, ...patchPaths(input)]
}

/** Files that a patch in the form of `*** Update File: path` names. */
function patchPaths(input: Input): string[] {
	return Object.values(input)
		.filter((value) => typeof value === 'string')
		.flatMap((text) => [
			...text.matchAll(/^\*\*\* (?:Add|Update|Delete) File: (.+)$|^\*\*\* Move to: (.+)$/gm),
		])
		.map(([, file, moved]) => (file ?? moved ?? '').trim())
}

function assessSecrets(findings: Findings, call: ToolCall): void {
	const subject = [...toolPaths(call.input), urlOf(call.input) ?? '']
	if (typeof call.input.pattern === 'string') subject.push(call.input.pattern)
	if (typeof call.input.glob === 'string') subject.push(call.input.glob)
	const secret = subject.find(isSecret)
	if (secret !== undefined) findings.add('high', `touches keys or passwords: ${secret}`)
}

function assessRead(findings: Findings, call: ToolCall): void {
	assessSecrets(findings, call)
	const place = { project: call.cwd, folder: call.cwd }
	const away = toolPaths(call.input).some((path) => whereIs(path, place) === 'outside')
	findings.add('low', away ? 'reads outside of the project' : readReasons)
}

function assessChange(findings: Findings, call: ToolCall): void {
	const place = { project: call.cwd, folder: call.cwd }
	const named = toolPaths(call.input)
	for (const text of named) {
		assessWrite(findings, { path: { text, known: true, fed: [] }, place })
	}
	if (named.length === 0) findings.add('medium', 'writes files')
}

const reachesOut =
	/fetch|http|web|url|browser|navigate|request|send|post|mail|slack|message|notify|publish|push|upload|deploy|remote|issue|pull/i
const destroys =
	/delete|remove|drop|destroy|revoke|reset|purge|kill|merge|grant|exec|shell|eval|run/i

function assessUnknown(findings: Findings, call: ToolCall): void {
	assessSecrets(findings, call)
	const text = JSON.stringify(call.input) ?? ''
	if (reachesOut.test(call.tool) || /\b[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
		findings.add('high', `a tool that is not known here and may use the network: ${call.tool}`)
	} else if (destroys.test(call.tool)) {
		findings.add('high', `a tool that is not known here and may delete or run things: ${call.tool}`)
	} else findings.add('medium', `a tool that is not known here: ${call.tool}`)
}
