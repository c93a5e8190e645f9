/**
 * How risky a permission request is, and why, from its text alone. It warns a person who decides; nothing
 * is ever approved because of it. What can't be read counts as high.
 */
import { inspect } from '../text/inspect.ts'
import { revealText } from '../text/safe-text.ts'
import { asInput, commandOf } from '../text/tool-input.ts'
import { assessCommand } from './command.ts'
import { Findings } from './findings.ts'
import { assessTool } from './tools.ts'

export interface Risk {
	level: 'low' | 'medium' | 'high'
	reasons: readonly string[]
}

export interface RiskInput {
	tool: string
	/** As the agent gave it: of any shape. */
	input: unknown
	/** The folder the agent works in, or `null` where it is not known. */
	cwd: string | null
}

const mostReasons = 6
const longestReason = 160

/** Assesses one request. The reasons are of that level, most telling first, and safe to show. */
export function assessRisk({ tool, input, cwd }: RiskInput): Risk {
	const findings = new Findings()
	assessText(findings, tool, input, cwd)
	const command = commandOf(input)
	if (command !== null) assessCommand(findings, command, { project: cwd, folder: cwd })
	assessTool(findings, { tool, input: asInput(input), cwd, command: command !== null })
	const level = findings.level
	const reasons = findings
		.reasons(level)
		.slice(0, mostReasons)
		.map((reason) => clip(revealText(reason.replaceAll('\n', ' '))))
	return { level, reasons }
}

function clip(reason: string): string {
	const characters = Array.from(reason)
	return characters.length <= longestReason
		? reason
		: `${characters.slice(0, longestReason - 1).join('')}…`
}

/** Inputs that are a file's text: words of several scripts are no news there, and odd spaces neither. */
const contents: ReadonlySet<string> = new Set([
	...['content', 'contents', 'new_string', 'old_string', 'newString', 'oldString', 'new_source'],
	...['patch', 'text', 'edits', 'todos', 'questions', 'plan'],
])
const honestInContent = /^U\+(?:00A0|3000|E[0-9A-F]{3}|F[0-8][0-9A-F]{2}|200[CD])\b|unusual space/

function assessText(findings: Findings, tool: string, input: unknown, cwd: string | null): void {
	const entries = Object.entries(asInput(input))
	const decided = [tool, cwd ?? '', ...entries.map(([key]) => key)]
	const content: string[] = []
	for (const [key, value] of entries)
		(contents.has(key) ? content : decided).push(...strings(value))
	if (entries.length === 0) decided.push(...strings(input))
	const seen = inspect(decided.join('\n'))
	const inside = inspect(content.map((text) => text.replace(/^\ufeff/, '')).join('\n'))
	const hidden = [...seen.hidden, ...inside.hidden.filter((name) => !honestInContent.test(name))]
	if (hidden.length > 0)
		findings.add('high', `holds hidden characters: ${hidden.slice(0, 3).join(', ')}`)
	if (seen.mixedScripts.length > 0) {
		const words = seen.mixedScripts.slice(0, 3).join(', ')
		findings.add('high', `mixes letters of several alphabets: ${words}`)
	}
}

/** Every string in a value, keys too, however deep. */
function strings(value: unknown): string[] {
	const found: string[] = []
	const left: unknown[] = [value]
	for (let next = left.pop(); next !== undefined; next = left.pop()) {
		if (typeof next === 'string') found.push(next)
		else if (Array.isArray(next)) left.push(...next.filter((each) => each !== undefined))
		else if (typeof next === 'object' && next !== null) {
			for (const [key, inner] of Object.entries(next)) {
				found.push(key)
				if (inner !== undefined) left.push(inner)
			}
		}
	}
	return found
}
