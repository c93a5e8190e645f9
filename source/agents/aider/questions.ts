/** Aider's questions, as requests that a person can answer elsewhere. */
import * as v from 'valibot'
import type { FileChange, Question } from '../../protocol/events.ts'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import { knownQuestion } from './known-questions.ts'
import type { Confirm } from './screen-prompts.ts'

type Ask = Extract<AgentOutput, { type: 'request' }>['ask']

/** `subject`: what stands above the question on the screen. */
export function askOf(
	confirm: Confirm,
	subject: string,
	changes: readonly FileChange[],
	cwd: string,
): Ask {
	const about = knownQuestion(confirm.question)
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
		other: false,
	}
}

const answersSchema = v.object({ answers: v.record(v.string(), v.string()) })

/**
 * The letter to type. `taken` is false for an answer that Aider has no way to take: it is told no. "Don't
 * ask again" is never typed: it would hold for longer than anyone was shown.
 */
export function keyFor(confirm: Confirm, answer: AgentAnswer): { key: string; taken: boolean } {
	if (answer.decision === 'deny') return { key: 'n', taken: true }
	if (knownQuestion(confirm.question) !== null) {
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
