/** `approve --answer`: the answers to an agent's questions. */
import { exit, refused, StyrbyError } from '../protocol/errors.ts'
import type { Question } from '../protocol/events.ts'
import { revealText } from '../text/safe-text.ts'
import { answersInput, parseAnswer, takesOther, unanswerable } from '../viewer/answers.ts'
import type { RequestView } from '../viewer/viewer.ts'

type Answers = ReturnType<typeof answersInput>

/**
 * What the decision carries; `undefined` for a request that asks no questions, or is over. Throws
 * `answer_needed` (exit 4), `bad_answer` and `bad_usage` (exit 2).
 */
export function answersOf(request: RequestView, given: readonly string[]): Answers | undefined {
	const questions = request.body?.questions ?? null
	if (request.status !== 'pending') return undefined
	if (questions === null) {
		if (given.length === 0) return undefined
		throw usage('bad_usage', 'This request asks for a permission: it takes no --answer.')
	}
	if (unanswerable(questions) !== null) {
		throw refused(
			'answer_impossible',
			'The questions of this request can not be told apart: answer where the agent runs, or deny it.',
		)
	}
	if (given.length === 0) {
		throw refused(
			'answer_needed',
			`This is a question, and a permission is no answer to it: give --answer ${times(questions.length)}, or deny it.`,
		)
	}
	if (given.length !== questions.length) {
		throw usage(
			'bad_usage',
			`Give --answer ${times(questions.length)}, in the order of the questions.`,
		)
	}
	const picked = questions.map((question, index) => {
		const one = parseAnswer(question, given[index] ?? '')
		if (one) return one
		throw usage('bad_answer', `Question ${index + 1} takes ${choicesOf(question)}.`)
	})
	return answersInput(questions, picked)
}

function usage(code: string, message: string): StyrbyError {
	return new StyrbyError(code, message, { exitCode: exit.usage })
}

const times = (count: number) => (count === 1 ? 'once' : `${count} times, once for each question`)

function choicesOf(question: Question): string {
	const list = question.options.map(({ label }, index) => `${index + 1} (${revealText(label)})`)
	const many = question.multiple ? 'some of ' : 'one of '
	return `${many}${list.join(', ')}${takesOther(question) ? ', or your own words' : ''}`
}

/** What will be sent, before it is confirmed. */
export function answerLines({ answers }: Answers): string {
	return Object.entries(answers)
		.map(([question, words]) => {
			const said = Array.isArray(words) ? words.join(', ') : words
			return `  ${revealText(question.replaceAll('\n', ' '))} → ${revealText(said)}\n`
		})
		.join('')
}
