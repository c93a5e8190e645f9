/** One rule of a policy file (docs/policies.md). */
import * as v from 'valibot'
import { agentNames } from '../protocol/events.ts'

const longest = 1000
const most = 100

const text = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(longest))
const several = <T extends v.GenericSchema<string, string>>(one: T) =>
	v.union([
		v.pipe(
			one,
			v.transform((value) => [value]),
		),
		v.pipe(v.array(one), v.minLength(1), v.maxLength(most)),
	])

export const answers = ['allow', 'ask', 'deny'] as const
export type PolicyAnswer = (typeof answers)[number]

/** Unknown keys are refused: a misspelt condition would make a rule wider than it was meant. */
export const ruleSchema = v.strictObject({
	answer: v.picklist(answers),
	agent: v.exactOptional(several(v.picklist(agentNames))),
	/** Names of tools, with `*` for any characters. */
	tool: v.exactOptional(several(text)),
	/** Patterns of simple commands: words, with `*`. */
	command: v.exactOptional(several(text)),
	/** Globs of files and folders. */
	path: v.exactOptional(several(text)),
	/** Of `path`: what is done with it. */
	access: v.exactOptional(v.picklist(['read', 'write'])),
	/** Globs of the folder that the session was started in. */
	folder: v.exactOptional(several(text)),
	/** Of `allow`: also what is of high risk. */
	even: v.exactOptional(v.literal('high')),
	/** Of `deny`: what the agent is told. */
	reason: v.exactOptional(text),
})
export type RuleFields = v.InferOutput<typeof ruleSchema>

export interface Rule extends RuleFields {
	/** Where it begins in its file; lines start at 1. */
	line: number
}

/** A rule in one line, as it is shown and recorded: `allow command "npm test" (line 3)`. */
export function ruleText(rule: Rule): string {
	const quoted = (values: readonly string[]) =>
		values.map((one) => JSON.stringify(one)).join(' or ')
	const parts = (['agent', 'tool', 'command', 'path', 'folder'] as const).flatMap((key) => {
		const values = rule[key]
		return values === undefined ? [] : [`${key} ${quoted(values)}`]
	})
	if (rule.access !== undefined) parts.push(`access ${rule.access}`)
	if (rule.even !== undefined) parts.push('even of high risk')
	return `${[rule.answer, ...parts].join(', ').replace(', ', ' ')} (line ${rule.line})`
}

/** What is wrong with a rule beyond the shape of its keys; `null` for nothing. */
export function ruleProblem(rule: RuleFields): string | null {
	const { answer, tool, command, path, access, even, reason } = rule
	if (answer === 'allow' && !tool && !command && !path) {
		return 'a rule that allows has to say what: give it a "tool", a "command" or a "path"'
	}
	if (command && path) {
		return 'a rule is about a "command" or about a "path": make two of it'
	}
	if (access !== undefined && !path) return '"access" goes with "path" only'
	if (even !== undefined && answer !== 'allow') return '"even" goes with "answer": "allow" only'
	if (reason !== undefined && answer !== 'deny') {
		return '"reason" is what the agent is told, so it goes with "answer": "deny" only'
	}
	return null
}
