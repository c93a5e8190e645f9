/** Aider's questions, as requests that a person can answer elsewhere. */
import * as v from 'valibot'
import type { FileChange, Question } from '../../protocol/events.ts'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import type { Confirm } from './screen-prompts.ts'

type Ask = Extract<AgentOutput, { type: 'request' }>['ask']

interface Known {
	pattern: RegExp
	tool: string
	/** What the subject above the question is, where it has one. */
	subject: 'command' | 'path' | 'url' | null
}

/** Questions whose meaning is known. All others are handed on as questions, in Aider's own words. */
const known: readonly Known[] = [
	{ pattern: /^Run shell commands?\?$/, tool: 'shell', subject: 'command' },
	{ pattern: /^Create new file\?$/, tool: 'edit', subject: 'path' },
	{
		pattern: /^Allow edits to file that has not been added to the chat\?$/,
		tool: 'edit',
		subject: 'path',
	},
	{ pattern: /^Edit the files\?$/, tool: 'edit', subject: null },
	{ pattern: /^Add file to the chat\?$/, tool: 'add-file', subject: 'path' },
	{ pattern: /^Add URL to the chat\?$/, tool: 'add-url', subject: 'url' },
	{
		// Output of the command that ends without a line's end stands before it.
		pattern: /(?:^|[^ ])Add (?:[\d.]+k tokens of )?command output to the chat\?$/,
		tool: 'add-output',
		subject: null,
	},
	{ pattern: /^Attempt to fix (?:lint|test) errors\?$/, tool: 'fix-errors', subject: null },
]

export function knownQuestion({ question }: Confirm): Known | null {
	return known.find(({ pattern }) => pattern.test(question)) ?? null
}

/** `subject`: what stands above the question on the screen. */
export function askOf(
	confirm: Confirm,
	subject: string,
	changes: readonly FileChange[],
	cwd: string,
): Ask {
	const about = knownQuestion(confirm)
	const session_rules =
		confirm.all && about !== null
			? [{ tool: about.tool, rule: 'this one and the others asked about with it' }]
			: []
	const input =
		about === null
			? subject === ''
				? {}
				: { subject }
			: about.subject === null
				? {}
				: { [about.subject]: subject }
	return {
		tool: about?.tool ?? 'question',
		tool_use: null,
		input,
		description: confirm.question,
		cwd,
		reason: null,
		changes: [...changes],
		session_rules,
		questions: about === null ? [questionOf(confirm)] : null,
	}
}

/** Whether what a question is about stands above it; `line` is the question with its choices. */
export function hasSubject(line: string): boolean {
	const question = line.slice(0, line.indexOf(' (Y)es/'))
	return known.some(({ pattern, subject }) => subject !== null && pattern.test(question))
}

const choices = new Map([
	['Yes', 'y'],
	['No', 'n'],
	['All', 'a'],
	['Skip all', 's'],
])

function questionOf({ question, all, skip }: Confirm): Question {
	const offered = ['Yes', 'No', ...(all ? ['All'] : []), ...(skip ? ['Skip all'] : [])]
	return {
		question,
		header: null,
		options: offered.map((label) => ({ label, description: null })),
		multiple: false,
	}
}

const answersSchema = v.object({ answers: v.record(v.string(), v.string()) })

/**
 * The letter to type. `taken` is false for an answer that Aider has no way to take: it is told no. "Don't
 * ask again" is never typed: it would hold for longer than anyone was shown.
 */
export function keyFor(confirm: Confirm, answer: AgentAnswer): { key: string; taken: boolean } {
	if (answer.decision === 'deny') return { key: 'n', taken: true }
	if (knownQuestion(confirm) !== null) {
		if (answer.input !== undefined) return { key: 'n', taken: false }
		return { key: answer.scope === 'session' && confirm.all ? 'a' : 'y', taken: true }
	}
	const given = v.safeParse(answersSchema, answer.input)
	const label = given.success ? given.output.answers[confirm.question] : undefined
	const offered = questionOf(confirm).options.some((option) => option.label === label)
	const key = offered ? choices.get(label ?? '') : undefined
	return key === undefined ? { key: 'n', taken: false } : { key, taken: true }
}

/** What an answer that was typed, by whoever, came to. */
export function resultOf(confirm: Confirm, typed: string): 'approved' | 'denied' {
	const first = (typed === '' ? confirm.byDefault : typed).toLowerCase().charAt(0)
	return first === 'y' || first === 'a' ? 'approved' : 'denied'
}
